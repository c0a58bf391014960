/** Alerts: the stream of violations beside the map. */

import { bring, calm } from "./blanks.js";
import { dueMark, stateMark } from "./case.js";
import { shortName } from "./counties.js";
import { h, put, show } from "./dom.js";
import { both, t } from "./language.js";
import { read } from "./server.js";
import { shape } from "./severity.js";
import { ago, clock, day, moment, now } from "./times.js";

const KEPT = 120;
const NEW_MS = 12_000;

/** The newest violations in an element, new ones on top. `onLook(plate)` is told which one is looked at. */
export class Alerts {
  constructor(element) {
    this.onLook = () => {};
    this.least = 1;
    this.items = new Map(); // id to element
    this.list = h("ol", { role: "log", "aria-live": "off", onkeydown: (event) => this.walk(event) });
    this.body = h("div.list");
    this.said = h("div.out-of-sight", { "aria-live": "polite" });
    const chips = h("div.chips", { role: "group", "aria-label": t("alerts.least") }, [1, 2, 3, 4].map((grade) =>
      h("button", { "aria-pressed": "true", "data-grade": grade, title: t("alerts.from", { severity: t(`severity.${grade}`) }), onclick: (event) => this.filter(grade, event.currentTarget) }, shape(grade, 15))));
    show(element, h("header", {}, h("h2", {}, t("alerts")), h("span.faint.small", {}, t("alerts.least")), chips), this.body, this.said);
    this.early = [];
    this.load();
  }

  load() {
    this.items.clear();
    this.list.replaceChildren();
    return bring(this.body, () => read("/violations", { limit: 60 }), ({ items }) => {
      for (const one of items) this.place(one, false);
      const early = this.early ?? [];
      this.early = null;
      for (const one of early) this.take(...one);
      this.empty = calm(t("alerts.none"), t("alerts.none.why"));
      this.check();
      return [this.list, this.empty];
    }, 8);
  }

  /** Take an event of the stream. */
  hear(event, data) {
    if (event !== "violation" && event !== "case") return;
    if (this.early) this.early.push([event, data]);
    else this.take(event, data);
  }

  take(event, { violation, event: what }) {
    const news = event === "violation" && (what === "raised" || what === "risen");
    if (news || this.items.has(violation.id)) this.place(violation, news);
    if (news) this.said.textContent = `${t(`severity.${violation.severity}`)} ${both({ zh: violation.kind_zh, en: violation.kind_en })} ${violation.plate}`;
    this.check();
  }

  place(violation, news) {
    const known = this.items.get(violation.id);
    const made = item(violation, this);
    this.items.set(violation.id, made);
    if (news) {
      made.classList.add("new");
      setTimeout(() => made.classList.remove("new"), NEW_MS);
      const focused = known?.contains(document.activeElement);
      known?.remove();
      this.list.prepend(made);
      if (focused) made.querySelector("a").focus();
    } else if (known) known.replaceWith(made);
    else put(this.list, made);
    while (this.list.childElementCount > KEPT) {
      this.items.delete(this.list.lastElementChild.dataset.id);
      this.list.lastElementChild.remove();
    }
  }

  filter(grade, button) {
    this.least = grade;
    for (const one of button.parentElement.children) one.setAttribute("aria-pressed", String(Number(one.dataset.grade) >= grade));
    for (const one of this.list.children) one.hidden = Number(one.dataset.severity) < grade;
    this.check();
  }

  check() {
    if (this.empty) this.empty.hidden = [...this.list.children].some((one) => !one.hidden);
  }

  /** Arrow keys go from one to the next. */
  walk(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, j: 1, k: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const links = [...this.list.querySelectorAll("li:not([hidden]) > a")];
    links[Math.min(links.length - 1, Math.max(0, links.indexOf(document.activeElement) + step))]?.focus();
  }
}

function item(violation, alerts) {
  const at = violation.raised_ms;
  const today = day(at) === day(now());
  const look = () => alerts.onLook(violation.plate);
  const away = () => alerts.onLook(null);
  return h("li", { "data-id": violation.id, "data-severity": violation.severity, class: `g${violation.severity}`, hidden: violation.severity < alerts.least },
    h("a", { href: `#/violations/${violation.id}`, onmouseenter: look, onmouseleave: away, onfocus: look, onblur: away },
      h("span.mark", { title: t(`severity.${violation.severity}`) }, shape(violation.severity, 22), h("span.out-of-sight", {}, t(`severity.${violation.severity}`))),
      h("span.what", {}, h("b", {}, both({ zh: violation.kind_zh, en: violation.kind_en })), violation.lead && h("em", {}, t("lead"))),
      h("time", { title: `${moment(at, true)} · ${ago(at)}` }, today ? clock(at) : moment(at)),
      h("span.who", {}, h("span", { class: `plate c${violation.plate_color}` }, violation.plate), h("span.company", {}, violation.company_name)),
      h("span.where", {}, shortName(violation.place_county_name || violation.county_name)),
      h("span.state", {}, violation.status === "withdrawn" ? h("span.tag", {}, t("status.withdrawn")) : violation.superseded_by ? h("span.tag", {}, t("superseded", { kind: violation.superseded_by }))
        : violation.case ? [violation.case.overdue && dueMark(violation.case), stateMark(violation.case)] : h("span.tag", {}, t("case.none")))));
}
