/** Modules: the six panels of the centre, and the totals above the map. */

import { bones } from "./blanks.js";
import { shortName } from "./counties.js";
import { h, show } from "./dom.js";
import { both, t } from "./language.js";
import { shape } from "./severity.js";

const COLOUR = { L: ["L"], C: ["C"], H: ["H"], P: ["B", "T"], F: ["F"], S: ["S"] };
const CODES = ["L", "C", "H", "P", "F", "S"];
const GRADES = ["4", "3", "2", "1"];

const sum = (severity) => GRADES.reduce((all, grade) => all + (severity[grade] ?? 0), 0);

/** Draw the six panels; bones where there is no summary yet. */
export function modules(element, summary) {
  if (!summary) {
    show(element, CODES.map(() => h("article.module.panel", {}, bones(3))));
    return;
  }
  const most = Math.max(3, ...summary.modules.flatMap((one) => one.counties.map((county) => sum(county.severity))));
  show(element, summary.modules.map((one) => panel(one, most)));
}

function panel(one, most) {
  return h("article.module.panel", { "aria-label": both(one) },
    h("header", {}, h("span.dots", {}, COLOUR[one.module].map((code) => h(`i.dot.class-${code}`))), h("h2", {}, both(one)),
      h("span.online", { title: t("online.why") }, h("b", {}, one.online), `/${one.vehicles} `, t("online"))),
    h("div.figures", {},
      h("a.big", { class: sum(one.severity) ? "" : "zero", href: `#/violations?list=all&module=${one.module}&today=1`, "aria-label": `${t("violations.today")} ${sum(one.severity)}` }, sum(one.severity)),
      h("div.grades", {}, bar(one.severity), h("div.counts", {}, GRADES.map((grade) =>
        h("span", { class: one.severity[grade] ? `sev${grade}` : "zero" }, shape(Number(grade), 12), one.severity[grade] ?? 0)))),
      h("dl", {}, h("dt", {}, t("open")), h("dd", {}, one.open), h("dt", {}, t("overdue")), h("dd", { class: one.overdue ? "sev4" : "" }, one.overdue))),
    h("ol.counties", {}, one.counties.map((county) => cell(one, county, most))));
}

function cell(module, county, most) {
  const count = sum(county.severity);
  const worst = GRADES.find((grade) => county.severity[grade]);
  const said = `${county.name}: ${t("violations.today")} ${count}, ${t("open")} ${county.open}, ${t("overdue")} ${county.overdue}, ${t("online")} ${county.online}/${county.vehicles}`;
  return h("li", {}, h("a", {
    href: `#/violations?list=all&today=1&module=${module.module}&county=${encodeURIComponent(county.county)}`, title: said, "aria-label": said,
    class: county.overdue ? "late" : "", style: { "--heat": count ? 0.18 + 0.82 * Math.min(1, count / most) : 0 },
  }, h("span", {}, shortName(county.name)), h("b", { class: worst ? `sev${worst}` : "zero" }, count)));
}

/** A bar of the severities' shares. */
function bar(severity) {
  const all = sum(severity);
  return h("div.share", { "aria-hidden": "true" }, all
    ? GRADES.filter((grade) => severity[grade]).map((grade) => h(`i.g${grade}`, { style: { flex: severity[grade] } })) : null);
}

/** Draw the totals of the whole view. */
export function totals(element, summary) {
  const figure = (name, value, extra = "", link = "") => h(link ? "a.figure" : "div.figure", { href: link || null },
    h("span", {}, t(name)), h("b", { class: extra }, value));
  show(element,
    figure("violations.today", sum(summary.severity), "", "#/violations?list=all&today=1"),
    h("div.figure.split", {}, GRADES.map((grade) => h("a", { href: `#/violations?list=all&today=1&severity=${grade}` },
      h("span", { class: `sev${grade}` }, shape(Number(grade), 14), t(`severity.${grade}`)), h("b", { class: summary.severity[grade] ? `sev${grade}` : "zero" }, summary.severity[grade] ?? 0)))),
    figure("open.cases", summary.open, "", "#/violations?list=open"),
    figure("overdue", summary.overdue, summary.overdue ? "sev4" : "", "#/violations?list=overdue"),
    figure("online.vehicles", [h("span.of", {}, summary.online), h("small", {}, ` / ${summary.vehicles}`)]));
}
