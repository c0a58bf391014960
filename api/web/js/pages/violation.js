/** Violation: one of them, in words, on the map, on the chart; its revisions and its casework. */

import { bones, bring, nothing, wrong } from "../blanks.js";
import { dueMark, stateMark } from "../case.js";
import { casework } from "../casework.js";
import { chart } from "../chart.js";
import { h, show } from "../dom.js";
import { both, language, t } from "../language.js";
import { follow } from "../live.js";
import { cameFrom } from "../pages.js";
import { read } from "../server.js";
import { severityMark, shape } from "../severity.js";
import { length, moment } from "../times.js";

export function violation(element, { id }) {
  const ends = [];
  const path = `/violations/${encodeURIComponent(id)}`;
  let gone = false;
  let parts = null;

  async function load() {
    let found;
    try {
      found = await read(path);
    } catch (failure) {
      if (!gone) show(element, h("p.back", {}, h("a", { href: "#/violations" }, t("back"))), wrong(failure, load));
      return;
    }
    if (gone) return;
    if (!parts) {
      parts = { top: h("header.headline"), words: h("section.panel.words"), facts: h("section.panel.facts"), work: h("section.panel.work"), revisions: h("section.panel.revisions") };
      const seen = h("section.seen");
      show(element, parts.top, h("div.columns", {}, h("div.told-side", {}, parts.words, parts.facts), seen, h("div.work-side", {}, parts.work, parts.revisions)));
      look(seen, path, found, ends, () => gone);
    }
    headline(parts.top, found);
    inWords(parts.words, found);
    facts(parts.facts, found);
    revisions(parts.revisions, found);
    casework(parts.work, found, load);
  }

  show(element, h("div.bones-page", {}, bones(9)));
  load();
  ends.push(follow((event, data) => (event === "violation" || event === "case") && data.violation.id === id && load()));
  return () => { gone = true; ends.forEach((end) => end()); };
}

function headline(element, one) {
  show(element,
    h("a.back", { href: "#/violations", onclick: (event) => { if (cameFrom()) { event.preventDefault(); history.back(); } } }, t("back")),
    h("div.name", {}, shape(one.severity, 34), h("h1", {}, both({ zh: one.kind_zh, en: one.kind_en })), h("span.faint", {}, one.kind),
      severityMark(one.severity), one.lead && h("span.tag.lead", {}, t("lead")), one.status !== "ended" && h("span.tag", {}, t(`status.${one.status}`)),
      one.superseded_by && h("span.tag", {}, t("superseded", { kind: one.superseded_by }))),
    h("div.of", {}, h("span", { class: `plate c${one.plate_color}` }, one.plate), h("span", {}, one.vehicle_class ? t(`class.${one.vehicle_class}`) : t("class.none")),
      h("span", {}, one.company_name), h("span.quiet", {}, one.county_name)),
    h("div.standing", {}, one.case && [stateMark(one.case), dueMark(one.case)]));
}

function inWords(element, one) {
  const said = one.explanation?.[language()];
  const line = (name, extra = "") => said?.[name] && h("div", { class: extra }, h("dt", {}, t(`why.${name}`)), h("dd", {}, said[name]));
  show(element, h("header", {}, h("h2", {}, t("why"))), said
    ? h("dl.why", {}, line("measured", "main"), line("limit"), line("since"), line("clause"), line("clears"), line("certainty", one.lead ? "doubt" : ""))
    : nothing(t("why.none"), one.clause));
}

function facts(element, one) {
  const rows = [
    ["fact.begins", moment(one.begins_ms, true)], ["fact.raised", moment(one.raised_ms, true)],
    ["fact.ends", one.status === "open" ? t("fact.lasting") : moment(one.ends_ms, true)],
    ["fact.length", length(one.ends_ms - one.begins_ms)], ["fact.place", one.place_county_name || "—"],
    ["fact.rule", `${one.kind} · ${t("version", { n: one.rule_version })}`], ["fact.registry", t("version", { n: one.registry_version })],
  ];
  show(element, h("header", {}, h("h2", {}, t("facts"))), h("dl.facts", {}, rows.map(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, value)])),
    h("p.id.faint.small", {}, one.id));
}

function revisions(element, one) {
  element.hidden = !one.revisions.length;
  show(element, h("header", {}, h("h2", {}, t("revisions")), h("span.faint.small", {}, t("revisions.why"))),
    h("ol.revisions", {}, one.revisions.toReversed().map((each) => h("li", {},
      h("b", {}, `${each.revision}`), h("span", {}, t(`fact.is.${each.fact}`), each.pass !== "online" && h("span.faint", {}, ` · ${each.pass}`)),
      h("span.severity", {}, shape(each.severity, 14)), h("time", {}, moment(each.recorded_at, true)),
      each.reason && h("p.quiet.small", {}, each.reason)))));
}

/** The track on the map and the speed on the chart, linked. */
function look(element, path, one, ends, gone) {
  const place = h("div.place");
  const drawn = h("figure.chart");
  show(element, h("section.panel.track", { "aria-label": t("track") }, place), h("section.panel", {}, h("header", {}, h("h2", {}, t("chart"))), drawn));
  bring(drawn, () => read(`${path}/fixes`, { margin_s: 600, limit: 3000 }), (found) => {
    const fixes = found.items.filter((each) => each.time_ms !== null && each.lon !== null && each.verdict === "accepted");
    if (gone() || !fixes.length) {
      show(place, nothing(t("track.none"), t("track.none.why")));
      return nothing(t("track.none"), t("track.none.why"));
    }
    const figure = h("div");
    const limited = fixes.map((each) => ({ ...each, limit_kmh: each.limit_kmh ?? within(each, found) }));
    let point = () => {};
    ends.push(chart(figure, limited, found, (fix) => point(fix)));
    drawTrack(place, limited, found, one.severity, ends, gone).then((made) => { point = made; });
    return found.cut ? [figure, h("p.faint.small.cut", {}, t("track.cut"))] : [figure];
  }, 6);
}

const within = (fix, { begins_ms, ends_ms, limit_kmh }) => (fix.time_ms >= begins_ms && fix.time_ms <= ends_ms ? limit_kmh : null);

async function drawTrack(place, fixes, span, severity, ends, gone) {
  show(place, h("div.waiting", {}, h("span", {}, t("map.loading"))));
  try {
    const [{ drawMap }, { track }] = await Promise.all([import("../map.js"), import("../track.js")]);
    if (gone()) return () => {};
    const room = h("div.room");
    show(place, room);
    const map = await drawMap(room);
    if (gone()) { map.remove(); return () => {}; }
    ends.push(() => map.remove());
    return track(map, fixes, span, severity);
  } catch (failure) {
    if (failure.status === undefined) console.error(failure);
    show(place, wrong({ message: failure.status === undefined ? t("map.broken") : failure.message }));
    return () => {};
  }
}
