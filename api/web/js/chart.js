/** Chart: speed against the limit, over the time of a violation and its margins. */

import { h, s, show } from "./dom.js";
import { t } from "./language.js";
import { clock } from "./times.js";

const HEIGHT = 220;
const EDGE = { left: 40, right: 12, top: 16, bottom: 26 };
const STEPS_S = [10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800];
const GAP_MS = 300_000;

/**
 * Draw fixes {time_ms, speed_kmh, limit_kmh} into an element. `span` {begins_ms, ends_ms} is shaded; `looked(fix)` is
 * told which one the pointer or the arrow keys are at, null for none.
 */
export function chart(element, fixes, span, looked = () => {}) {
  const draw = () => drawIn(element, fixes, span, looked);
  const watch = new ResizeObserver(draw);
  watch.observe(element);
  return () => watch.disconnect();
}

function drawIn(element, fixes, span, looked) {
  const width = Math.max(280, element.clientWidth);
  const from = fixes[0].time_ms;
  const till = Math.max(fixes.at(-1).time_ms, from + 1000);
  const top = Math.ceil((Math.max(40, ...fixes.map((one) => Math.max(one.speed_kmh ?? 0, one.limit_kmh ?? 0))) * 1.08) / 20) * 20;
  const x = (time) => EDGE.left + ((time - from) / (till - from)) * (width - EDGE.left - EDGE.right);
  const y = (speed) => HEIGHT - EDGE.bottom - (speed / top) * (HEIGHT - EDGE.top - EDGE.bottom);
  const runs = split(fixes);

  const rule = s("line", { class: "rule", y1: EDGE.top, y2: HEIGHT - EDGE.bottom, hidden: true });
  const dot = s("circle", { class: "dot", r: 4, hidden: true });
  const picture = s("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": described(fixes), tabindex: 0 },
    s("rect", { class: "span", x: x(Math.max(from, span.begins_ms)), y: EDGE.top, height: HEIGHT - EDGE.top - EDGE.bottom,
      width: Math.max(2, x(Math.min(till, span.ends_ms)) - x(Math.max(from, span.begins_ms))) }),
    levels(top, width, y), moments(from, till, width, x),
    runs.map((run) => s("path", { class: "over", d: over(run, x, y) })),
    runs.map((run) => s("path", { class: "limit", d: steps(run, x, y) })),
    runs.map((run) => s("path", { class: "speed", d: line(run, x, y) })),
    rule, dot);
  const said = h("output", { "aria-live": "off" });
  let index = -1;
  const look = (to) => {
    index = to;
    const fix = fixes[to];
    for (const one of [rule, dot]) one.toggleAttribute("hidden", !fix);
    if (fix) {
      for (const end of ["x1", "x2"]) rule.setAttribute(end, x(fix.time_ms));
      dot.setAttribute("cx", x(fix.time_ms));
      dot.setAttribute("cy", y(fix.speed_kmh ?? 0));
    }
    said.textContent = fix ? words(fix) : "";
    looked(fix ?? null);
  };
  picture.addEventListener("pointermove", (event) => {
    const time = from + ((event.offsetX - EDGE.left) / (width - EDGE.left - EDGE.right)) * (till - from);
    look(nearest(fixes, time));
  });
  picture.addEventListener("pointerleave", () => look(-1));
  picture.addEventListener("blur", () => look(-1));
  picture.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 }[event.key];
    if (!step) return;
    event.preventDefault();
    look(Math.min(fixes.length - 1, Math.max(0, index < 0 ? nearest(fixes, span.begins_ms) : index + step)));
  });
  show(element, h("div.key", {}, h("span.of-speed", {}, t("chart.speed")), h("span.of-limit", {}, t("chart.limit")), h("span.of-span", {}, t("chart.span")), said), picture);
}

const words = (fix) => t("chart.at", {
  time: clock(fix.time_ms), speed: (fix.speed_kmh ?? 0).toFixed(1), limit: fix.limit_kmh ? fix.limit_kmh.toFixed(0) : "—",
});

function described(fixes) {
  const peak = fixes.reduce((most, one) => ((one.speed_kmh ?? 0) > (most.speed_kmh ?? 0) ? one : most), fixes[0]);
  return `${t("chart")}: ${t("chart.peak")} ${words(peak)}`;
}

function nearest(fixes, time) {
  let best = 0;
  for (let at = 1; at < fixes.length; at++) if (Math.abs(fixes[at].time_ms - time) < Math.abs(fixes[best].time_ms - time)) best = at;
  return best;
}

/** Runs of fixes without a long gap between them. */
function split(fixes) {
  const runs = [[fixes[0]]];
  for (let at = 1; at < fixes.length; at++) {
    if (fixes[at].time_ms - fixes[at - 1].time_ms > GAP_MS) runs.push([]);
    runs.at(-1).push(fixes[at]);
  }
  return runs;
}

const line = (run, x, y) => run.map((one, at) => `${at ? "L" : "M"}${x(one.time_ms).toFixed(1)} ${y(one.speed_kmh ?? 0).toFixed(1)}`).join("");

function steps(run, x, y) {
  let path = "";
  let known = null;
  for (const one of run) {
    if (!one.limit_kmh) { known = null; continue; }
    path += known === null ? `M${x(one.time_ms)} ${y(one.limit_kmh)}` : `H${x(one.time_ms)}${known === one.limit_kmh ? "" : `V${y(one.limit_kmh)}`}`;
    known = one.limit_kmh;
  }
  return path;
}

/** The area between speed and limit where speed is above. */
function over(run, x, y) {
  let path = "";
  for (let at = 1; at < run.length; at++) {
    const [a, b] = [run[at - 1], run[at]];
    if (!a.limit_kmh || !b.limit_kmh) continue;
    const [da, db] = [a.speed_kmh - a.limit_kmh, b.speed_kmh - a.limit_kmh];
    if (da <= 0 && db <= 0) continue;
    const part = da > 0 && db > 0 ? null : da / (da - db);
    const cut = part === null ? null : x(a.time_ms + part * (b.time_ms - a.time_ms));
    const [xa, xb] = [da > 0 ? x(a.time_ms) : cut, db > 0 ? x(b.time_ms) : cut];
    const level = y(a.limit_kmh);
    path += `M${xa} ${level}L${xa} ${da > 0 ? y(a.speed_kmh) : level}L${xb} ${db > 0 ? y(b.speed_kmh) : level}L${xb} ${level}Z`;
  }
  return path;
}

function levels(top, width, y) {
  const step = top > 100 ? 40 : 20;
  const all = Array.from({ length: Math.floor(top / step) + 1 }, (_, at) => at * step);
  return all.map((one) => s("g", { class: "level" },
    s("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(one), y2: y(one) }),
    s("text", { x: EDGE.left - 7, y: y(one) + 4, "text-anchor": "end" }, one)))
    .concat(s("text", { class: "unit", x: EDGE.left - 7, y: 10, "text-anchor": "end" }, "km/h"));
}

function moments(from, till, width, x) {
  const room = Math.max(2, Math.floor((width - 60) / 90));
  const step = 1000 * (STEPS_S.find((one) => (till - from) / (one * 1000) <= room) ?? 43200);
  const shift = 8 * 3600_000; // steps are whole in Beijing time
  const all = [];
  for (let time = Math.ceil((from + shift) / step) * step - shift; time <= till; time += step) all.push(time);
  return all.filter((time) => x(time) < width - 24).map((time) => s("g", { class: "moment" },
    s("line", { x1: x(time), x2: x(time), y1: HEIGHT - EDGE.bottom, y2: HEIGHT - EDGE.bottom + 4 }),
    s("text", { x: x(time), y: HEIGHT - 8, "text-anchor": "middle" }, step < 60_000 ? clock(time) : clock(time).slice(0, 5))));
}
