/** Violations: the inbox, and every list. */

import { bones, calm, nothing, wrong } from "../blanks.js";
import { dueMark, stateMark } from "../case.js";
import { counties } from "../counties.js";
import { h, put, show } from "../dom.js";
import { both, t } from "../language.js";
import { follow } from "../live.js";
import { remember } from "../pages.js";
import { read } from "../server.js";
import { is } from "../session.js";
import { shape } from "../severity.js";
import { day, moment, now } from "../times.js";
import { warningStrip } from "../warnings.js";

const MINE = {
  company: ["pushed", "acknowledged", "returned"], county: ["submitted", "appealed", "accepted"], centre: ["submitted", "appealed", "accepted"],
};
const OPEN = ["pushed", "acknowledged", "submitted", "returned", "accepted", "appealed"];
const STATES = [...OPEN, "closed", "false_alarm", "superseded", "withdrawn"];
const PAGE = 50;

/** What the lists ask the server for. */
const LISTS = {
  mine: () => ({ state: MINE[is("company") ? "company" : "county"], order: "due" }),
  overdue: () => ({ overdue: true, order: "due" }),
  open: () => ({ state: OPEN, order: "due" }),
  all: () => ({}),
};

export function violations(element, _, query) {
  const lists = Object.keys(LISTS).filter((name) => name !== "mine" || !is("operator"));
  const chosen = { list: lists.includes(query.get("list")) ? query.get("list") : is("centre", "operator") ? "open" : "mine" };
  for (const name of ["plate", "kind", "severity", "state", "module", "county", "today"]) chosen[name] = query.get(name) ?? "";
  const rows = h("div.rows", { role: "list" });
  const below = h("div.below");
  const news = h("button.button.small.news", { hidden: true, onclick: () => load() });
  const tabs = h("div.tabs", { role: "group", "aria-label": t("lists") });
  const form = filters(chosen, () => load());
  let after = null;
  let turn = 0;
  let waiting = 0;

  function parameters() {
    const { list, today, ...rest } = chosen;
    const asked = LISTS[list]();
    const kept = Object.fromEntries(Object.entries(rest).filter(([, value]) => value));
    return { ...asked, ...kept, ...(today && { day: day(now()) }), limit: PAGE };
  }

  async function load() {
    const mine = ++turn;
    remember(new URLSearchParams(Object.entries(chosen).filter(([, value]) => value)));
    show(tabs, lists.map((name) => h("button", {
      "aria-pressed": String(name === chosen.list), onclick: () => { chosen.list = name; chosen.state = ""; load(); },
    }, t(`list.${name}`))));
    form.shown();
    waiting = 0;
    news.hidden = true;
    show(rows, bones(8));
    show(below);
    try {
      const found = await read("/violations", parameters());
      if (mine !== turn) return;
      rows.replaceChildren();
      if (found.items.length) put(rows, head(), found.items.map(row));
      else show(rows, empty());
      more(found.next);
    } catch (failure) {
      if (mine === turn) show(rows, wrong(failure, load));
    }
  }

  function empty() {
    const filtered = ["plate", "kind", "severity", "state", "module", "county", "today"].some((name) => chosen[name]);
    if (filtered) return nothing(t("list.nothing"), t("list.nothing.why"), h("button.button.small", { onclick: () => { form.clear(); load(); } }, t("filters.clear")));
    return calm(t(`list.${chosen.list}.none`), t(`list.${chosen.list}.none.why`));
  }

  function more(next) {
    after = next;
    show(below, next && h("button.button", { onclick: loadMore }, t("more")));
  }

  async function loadMore(event) {
    const mine = turn;
    event.currentTarget.disabled = true;
    try {
      const found = await read("/violations", { ...parameters(), after });
      if (mine !== turn) return;
      put(rows, found.items.map(row));
      more(found.next);
    } catch (failure) {
      show(below, wrong(failure, loadMore));
    }
  }

  const ends = [];
  ends.push(follow((event, data) => {
    if (event !== "violation" && event !== "case") return;
    const known = rows.querySelector(`[data-id="${CSS.escape(data.violation.id)}"]`);
    if (known) known.replaceWith(row(data.violation));
    else if (!rows.querySelector(".row") && turn) load();
    else {
      news.hidden = false;
      news.textContent = t("list.news", { n: ++waiting });
    }
  }));
  show(element, h("div.top", {}, h("h1", {}, t("tab.violations")), tabs, news), warningStrip(ends), form, h("section.panel.table", {}, rows), below);
  load();
  return () => { turn++; ends.forEach((end) => end()); };
}

function head() {
  return h("div.row.head", { "aria-hidden": "true" }, ["severity", "violation", "vehicle", "company", "place", "raised", "state", "due"].map((name) => h("span", {}, t(`column.${name}`))));
}

function row(one) {
  return h("div.row", { role: "listitem", "data-id": one.id, class: one.case?.overdue ? "late" : "" },
    h("span.grade", {}, shape(one.severity, 20), h("span", { class: `sev${one.severity}` }, t(`severity.${one.severity}`))),
    h("a.what", { href: `#/violations/${one.id}` }, h("b", {}, both({ zh: one.kind_zh, en: one.kind_en })), h("small", {}, one.kind), one.lead && h("em", {}, t("lead"))),
    h("span.vehicle", {}, h("span", { class: `plate c${one.plate_color}` }, one.plate), h("small", {}, one.vehicle_class ? t(`class.${one.vehicle_class}`) : "")),
    h("span.company", {}, one.company_name, is("company") ? null : h("small", {}, one.county_name)),
    h("span.place", {}, one.place_county_name || "—"),
    h("time", { title: moment(one.raised_ms, true) }, moment(one.raised_ms)),
    h("span.state", {}, one.superseded_by ? h("span.tag", {}, t("superseded", { kind: one.superseded_by })) : stateMark(one.case)),
    h("span.until", {}, dueMark(one.case)));
}

/** The form of filters; changes what is chosen and says so. */
function filters(chosen, changed) {
  let timer;
  const plate = h("input", { type: "search", name: "plate", placeholder: t("filter.plate"), "aria-label": t("filter.plate"), value: chosen.plate,
    oninput: () => { chosen.plate = plate.value.trim(); clearTimeout(timer); timer = setTimeout(changed, 300); } });
  const select = (name, options) => h("select", { name, "aria-label": t(`filter.${name}`), onchange: (event) => { chosen[name] = event.target.value; changed(); } },
    h("option", { value: "" }, t(`filter.${name}`)), options);
  const kinds = select("kind", []);
  const states = select("state", STATES.map((one) => h("option", { value: one }, t(`state.${one}`))));
  const county = select("county", []);
  const all = [
    select("severity", [4, 3, 2, 1].map((one) => h("option", { value: one }, t(`severity.${one}`)))), kinds,
    select("module", ["L", "C", "H", "P", "F", "S"].map((one) => h("option", { value: one }, t(`module.${one}`)))), states,
    is("centre", "operator") ? county : null,
  ].filter(Boolean);
  const today = h("input", { type: "checkbox", onchange: () => { chosen.today = today.checked ? "1" : ""; changed(); } });
  const clear = h("button.button.plain.small", { type: "button", onclick: () => { form.clear(); changed(); } }, t("filters.clear"));
  const form = h("form.filters", { role: "search", onsubmit: (event) => event.preventDefault() }, plate, all, h("label.check", {}, today, t("filter.today")), clear);
  form.shown = () => {
    for (const one of all) one.value = chosen[one.name];
    plate.value = plate === document.activeElement ? plate.value : chosen.plate;
    today.checked = Boolean(chosen.today);
    clear.hidden = ![plate, ...all].some((one) => one.value) && !today.checked;
    states.hidden = chosen.list !== "all";
  };
  form.clear = () => {
    for (const name of ["plate", "kind", "severity", "state", "module", "county", "today"]) chosen[name] = "";
    plate.value = "";
  };
  read("/catalogue").then(({ items }) => {
    put(kinds, items.map((one) => h("option", { value: one.code }, `${one.code} ${both(one)}`)));
    form.shown();
  }).catch(() => {});
  counties().then(({ features }) => {
    put(county, features.map(({ properties }) => h("option", { value: properties.county }, properties.name)));
    form.shown();
  }).catch(() => {});
  return form;
}
