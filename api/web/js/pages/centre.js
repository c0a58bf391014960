/** Centre: the map of moving vehicles, the six modules, the alert stream. */

import { Alerts } from "../alerts.js";
import { wrong } from "../blanks.js";
import { classColour } from "../colours.js";
import { h, show } from "../dom.js";
import { t } from "../language.js";
import { feed, follow, health } from "../live.js";
import { modules, totals } from "../modules.js";
import { read } from "../server.js";
import { clock, moment, now } from "../times.js";
import { warningStrip } from "../warnings.js";

const SUMMARY_MS = 10_000;
const COMPANIES = new Map();

export function centre(element) {
  const ends = [];
  const left = h("section.modules", { "aria-label": t("modules") });
  const top = h("div.totals", { role: "group", "aria-label": t("today") });
  const canvas = h("div.canvas");
  const card = h("div.card", { hidden: true, role: "status" });
  const stopped = h("div.stopped", { hidden: true, role: "alert" });
  const map = h("section.map", { "aria-label": t("map") }, canvas, top, stopped, legend(), card);
  const right = h("section.alerts.panel", { "aria-label": t("alerts") });
  const alerts = new Alerts(right);
  alerts.body.before(warningStrip(ends));
  show(element, h("h1.out-of-sight", {}, t("tab.centre")), left,
    map, right);

  let timer;
  let gone = false;
  const summarise = async () => {
    clearTimeout(timer);
    try {
      const summary = await read("/summary");
      if (gone) return;
      modules(left, summary);
      totals(top, summary);
    } catch (failure) {
      if (!left.childElementCount) show(left, wrong(failure, summarise));
    }
    if (!gone) timer = setTimeout(summarise, SUMMARY_MS);
  };
  modules(left, null);
  summarise();

  let soon;
  ends.push(follow((event, data) => {
    alerts.hear(event, data);
    if (event === "violation" || event === "case") {
      clearTimeout(soon);
      soon = setTimeout(summarise, 400);
    }
  }));
  ends.push(() => { gone = true; clearTimeout(timer); clearTimeout(soon); });
  const look = () => sayStopped(map, stopped);
  const looking = setInterval(look, 1000);
  ends.push(follow((event) => event === "state" && look()), () => clearInterval(looking));
  drawFleet(canvas, card, ends, alerts, () => gone);
  return () => ends.forEach((end) => end());
}

/** Say on the map that it stands still, since when, and what to do. */
function sayStopped(map, element) {
  const how = health();
  const stands = how === "stale" || how === "broken";
  map.classList.toggle("stands", stands);
  if (element.hidden === !stands && element.dataset.how === how) return;
  element.hidden = !stands;
  element.dataset.how = how;
  const since = how === "broken" ? feed.heard_at : now() - (feed.age_ms ?? 0);
  if (stands) show(element, h("strong", {}, t("map.stopped", { time: since ? clock(since) : "—" })), h("span", {}, t(`feed.${how}.why`)));
}

async function drawFleet(canvas, card, ends, alerts, gone) {
  show(canvas, h("div.waiting", {}, h("span", {}, t("map.loading"))));
  let map;
  try {
    const [{ drawMap }, { Fleet }] = await Promise.all([import("../map.js"), import("../fleet.js")]);
    if (gone()) return;
    const room = h("div.room");
    show(canvas, room);
    map = await drawMap(room, { padding: { top: 90, bottom: 50, left: 30, right: 30 } });
    if (gone()) return map.remove();
    ends.push(() => map.remove());
    const fleet = new Fleet();
    map.addLayer(fleet);
    const snapshot = await read("/positions");
    fleet.hear(snapshot.vehicles.map(vehicle));
    ends.push(follow((event, data) => event === "positions" && fleet.hear(data.vehicles.map(vehicle))));
    alerts.onLook = (plate) => {
      fleet.choose(plate ? (fleet.rows.find((one) => one.plate === plate)?.id ?? null) : null);
    };
    watch(map, fleet, card, ends);
  } catch (failure) {
    if (gone()) return;
    console.error(failure);
    const words = failure.status === undefined ? { message: t("map.broken") } : failure;
    show(canvas, wrong(words, () => drawFleet(canvas, card, ends, alerts, gone)));
  }
}

/** A vehicle of the compact arrays of positions. */
export function vehicle([id, plate, kind, company, county, lon, lat, speed_kmh, heading, time_ms, severity]) {
  return { id, plate, class: kind, company, county, lon, lat, speed_kmh, heading, time_ms, severity };
}

function watch(map, fleet, card, ends) {
  let chosen = null;
  map.on("mousemove", ({ point }) => { map.getCanvas().style.cursor = fleet.nearest(point) ? "pointer" : ""; });
  map.on("click", ({ point }) => {
    chosen = fleet.nearest(point);
    fleet.choose(chosen?.id ?? null);
    describe();
  });
  map.getContainer().append(h("button.button.small.whole", { onclick: () => map.home() }, t("map.whole")));
  map.getCanvas().addEventListener("keydown", (event) => event.key === "Home" && map.home());
  const describe = () => {
    card.hidden = !chosen;
    if (chosen) show(card, about(chosen, () => { chosen = null; fleet.choose(null); describe(); }));
  };
  const timer = setInterval(describe, 1000);
  ends.push(() => clearInterval(timer));
}

function about(one, close) {
  if (!COMPANIES.size) {
    COMPANIES.set("", "");
    read("/companies").then(({ items }) => items.forEach((each) => COMPANIES.set(each.company, each.name))).catch(() => COMPANIES.clear());
  }
  return [
    h("header", {}, h("i.dot", { style: { background: classColour(one.class) } }), h("strong.plate", {}, one.plate),
      h("button.button.plain.small", { onclick: close, "aria-label": t("close") }, "✕")),
    h("p", {}, one.class ? t(`class.${one.class}`) : t("class.none"), " · ", COMPANIES.get(one.company) || one.company || "—"),
    h("p", {}, h("b.speed", {}, one.speed_kmh === null ? "—" : Math.round(one.speed_kmh)), " km/h",
      h("span.faint", {}, ` · ${moment(one.time_ms, true)}`)),
    h("a", { href: `#/violations?list=all&plate=${encodeURIComponent(one.plate)}` }, t("card.violations")),
  ];
}

function legend() {
  return h("ul.legend", { "aria-label": t("legend") },
    ["L", "C", "H", "B", "T", "F"].map((one) => h("li", {}, h("i.dot", { style: { background: classColour(one) } }), t(`class.${one}`))),
    h("li.rings", {}, h("i.ring.sev2"), h("i.ring.sev3"), h("i.ring.twice.sev4"), t("legend.ring")));
}
