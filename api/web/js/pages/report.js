/** Report: one of them: its numbers, its files, and who has got it. */

import { bring, nothing } from "../blanks.js";
import { h, show } from "../dom.js";
import { t } from "../language.js";
import { address, read } from "../server.js";
import { severityMark } from "../severity.js";
import { clock, moment } from "../times.js";
import { about, files } from "./reports.js";

export function report(element, { id }) {
  const path = `/reports/${encodeURIComponent(id)}`;
  bring(element, () => read(path), (found) => {
    const told = h("section.panel");
    bring(told, () => read(`${path}/deliveries`), (all) => [h("header", {}, h("h2", {}, t("report.told"))), deliveries(all)], 4);
    return [
      h("header.headline", {}, h("a.back", { href: "#/reports" }, t("back.reports")), h("div.name", {}, h("h1", {}, found.number),
        found.edition > 1 && h("span.tag.returned", {}, t("report.correction", { n: found.edition - 1 })), !found.newest && h("span.tag", {}, t("report.corrected"))),
      h("div.of", {}, h("span", {}, about(found)), h("span", {}, found.day), h("span.quiet", {}, t("report.issued", { time: moment(found.issued_at) }))),
      h("div.standing", {}, h("a.button.main.small", { href: address(`${path}/files/pdf?inline=true`), target: "_blank", rel: "noopener" }, t("report.open")), files(id))),
      found.reason && h("p.note.doubt", {}, h("strong", {}, t("report.reason")), " ", found.reason),
      h("div.columns.two", {}, h("div", {}, figures(found.facts), kinds(found.facts)), h("div", {}, told, fixes(found.facts))),
    ].filter(Boolean);
  }, 9);
}

function figures({ totals }) {
  const one = (name, value, extra = "") => h("div.figure", {}, h("span", {}, t(name)), h("b", { class: extra }, value));
  return h("section.panel.figures", { "aria-label": t("report.totals") },
    one("report.online", [totals.online, h("small", {}, ` / ${totals.registered}`)]), one("report.violations", totals.violations),
    one("report.unfinished", totals.unfinished), one("overdue", totals.overdue, totals.overdue ? "sev4" : ""), one("report.leads", totals.leads), one("report.withdrawn", totals.withdrawn));
}

function kinds({ kinds: rows }) {
  return h("section.panel", {}, h("header", {}, h("h2", {}, t("report.kinds"))), rows.length
    ? h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, t("column.violation")), [4, 3, 2, 1].map((grade) => h("th.right", {}, severityMark(grade, 12))), h("th.right", {}, t("lead")))),
      h("tbody", {}, rows.map((one) => h("tr", {}, h("td", {}, `${one.code} ${one.name}`), [4, 3, 2, 1].map((grade) => h("td.right", { class: one.by_severity[grade - 1] ? "" : "faint" }, one.by_severity[grade - 1])), h("td.right", { class: one.leads ? "" : "faint" }, one.leads)))))
    : nothing(t("report.no.kinds")));
}

function fixes({ fixes: found }) {
  const reasons = Object.entries(found.rejected ?? {}).filter(([, count]) => count);
  const rows = [["report.received", found.received], ["report.backfilled", found.backfilled], ["report.accepted", found.accepted], ["report.after", found.after]];
  return h("section.panel", {}, h("header", {}, h("h2", {}, t("report.fixes"))), h("dl.facts", {},
    rows.map(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, (value ?? 0).toLocaleString("en"))]),
    reasons.map(([name, value]) => [h("dt", {}, t(`verdict.${name}`)), h("dd", {}, value.toLocaleString("en"))])));
}

function deliveries({ deliveries: sent, receipts }) {
  if (!sent.length && !receipts.length) return nothing(t("report.told.none"), t("report.told.none.why"));
  return h("ul.told", {},
    sent.map((one) => h("li", {}, h("b", {}, one.tenant_name || t("role.centre")), h("span", {}, `${t(`channel.${one.channel}`)} · ${one.name}`), h("span.tag", { class: one.state }, t(`delivery.${one.state}`)),
      h("time", {}, one.settled_at ? moment(one.settled_at, true) : t("delivery.next", { time: clock(one.due_at) })),
      h("small.faint", {}, [t("delivery.attempts", { n: one.attempts }), one.status && `HTTP ${one.status}`].filter(Boolean).join(" · ")))),
    receipts.map((one) => h("li", {}, h("b", {}, one.tenant_name || t(`role.${one.role}`)), h("span", {}, one.reader ? t("receipt.screen", { reader: one.reader }) : t(`role.${one.role}`)), h("span.tag.sent", {}, t("receipt.read")), h("time", {}, moment(one.read_at, true)), h("small"))));
}
