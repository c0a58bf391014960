/** Reports: the daily reports of who is logged in. */

import { bring, calm, nothing } from "../blanks.js";
import { counties } from "../counties.js";
import { h, put, show, tell } from "../dom.js";
import { t } from "../language.js";
import { follow } from "../live.js";
import { remember } from "../pages.js";
import { address, read } from "../server.js";
import { is } from "../session.js";
import { shape } from "../severity.js";
import { moment } from "../times.js";

/** What a report is about: prefecture, county or company. */
export const about = (one) => (one.company ? one.company_name : one.county ? one.county_name : t("report.prefecture"));

/** Links to the files of a report. */
export const files = (id) => h("span.formats", {}, ["pdf", "xlsx", "csv", "html"].map((format) =>
  h("a.button.small", { href: address(`/reports/${id}/files/${format}`), download: true }, format.toUpperCase())));

export function reports(element, _, query) {
  const list = h("section.panel.table");
  const date = h("input", { type: "date", "aria-label": t("filter.day"), value: query.get("day") ?? "", onchange: () => load() });
  const county = h("select", { "aria-label": t("filter.county"), onchange: () => load() }, h("option", { value: "" }, t("filter.county")));
  counties().then(({ features }) => {
    put(county, features.map(({ properties }) => h("option", { value: properties.county }, properties.name)));
    county.value = query.get("county") ?? "";
  }).catch(() => {});
  const clear = h("button.button.plain.small", { type: "button", onclick: () => { date.value = county.value = ""; load(); } }, t("filters.clear"));

  let first = true;

  function load() {
    const asked = Object.fromEntries(Object.entries({ day: date.value, county: county.value || (first && query.get("county")) }).filter(([, value]) => value));
    first = false;
    clear.hidden = !Object.keys(asked).length;
    remember(new URLSearchParams(asked));
    return bring(list, () => read("/reports", { ...asked, limit: 50 }), ({ items, next }) => {
      if (!items.length) return asked.day ? nothing(t("reports.none.day"), t("reports.none.why")) : calm(t("reports.none"), t("reports.none.why"));
      const rows = h("div.rows.reports", { role: "list" }, head(), items.map(row));
      return [rows, further(rows, next, asked)];
    }, 8);
  }

  show(element, h("div.top", {}, h("h1", {}, t("tab.reports")), h("form.filters", { onsubmit: (event) => event.preventDefault() }, h("label.check", {}, t("filter.day"), date), is("centre", "operator") ? county : null, clear)), list);
  load();
  return follow((event) => event === "report" && load());
}

function further(rows, after, asked) {
  if (!after) return h("div");
  const below = h("div.below", {}, h("button.button", { onclick: async () => {
    try {
      const found = await read("/reports", { ...asked, limit: 50, after });
      put(rows, found.items.map(row));
      below.replaceWith(further(rows, found.next, asked));
    } catch (failure) {
      tell(failure.message, true);
    }
  } }, t("more")));
  return below;
}

const head = () => h("div.row.head", { "aria-hidden": "true" }, ["day", "report", "about", "found", "issued", "read", "files"].map((name) => h("span", {}, t(`column.${name}`))));

function row(one) {
  const grades = one.totals?.by_severity ?? [];
  return h("div.row", { role: "listitem", "data-id": one.id, class: one.newest ? "" : "old" },
    h("b.day", {}, one.day),
    h("a.what", { href: `#/reports/${one.id}` }, h("b", {}, one.number), one.edition > 1 && h("small.correction", {}, t("report.correction", { n: one.edition - 1 })), !one.newest && h("small", {}, t("report.corrected"))),
    h("span.about", {}, about(one)),
    h("span.found", {}, h("b", {}, one.totals?.violations ?? "—"), [4, 3, 2, 1].filter((grade) => grades[grade - 1]).map((grade) => h("span", { class: `sev${grade}` }, shape(grade, 12), grades[grade - 1]))),
    h("time", {}, moment(one.issued_at)),
    h("span.read", {}, is("county", "company") ? (one.first_read_at ? moment(one.first_read_at) : h("span.tag.pushed", {}, t("report.unread"))) : one.first_read_at ? moment(one.first_read_at) : "—"),
    files(one.id));
}
