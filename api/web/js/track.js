/** Track: where a vehicle drove, with the part that was a violation, on a map. */

import { Marker, ScaleControl } from "/vendor/maplibre-gl/maplibre-gl.mjs";
import { severityColour } from "./colours.js";
import { h } from "./dom.js";
import { t } from "./language.js";
import { bounds_of } from "./map.js";

const GAP_MS = 300_000;

const line = (coordinates) => ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } });

/** Draw it, and look at the violation. Returns `point(fix)`, which shows where the vehicle was at a fix. */
export function track(map, fixes, { begins_ms, ends_ms }, severity) {
  const part = fixes.filter((one) => one.time_ms >= begins_ms && one.time_ms <= ends_ms);
  const colour = severityColour(severity);
  map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-left");
  add(map, "way", fixes, { "line-color": "#6f8ba4", "line-width": 2.5, "line-opacity": .9 });
  add(map, "breach-glow", part, { "line-color": colour, "line-width": 14, "line-blur": 8, "line-opacity": .45 });
  add(map, "breach", part, { "line-color": colour, "line-width": 4.5 });
  const ends = part.length ? part : fixes;
  pin(map, ends[0], "begin", t("track.begins"));
  pin(map, ends.at(-1), "end", t("track.ends"));
  const bounds = bounds_of({ features: [line(ends.map(at))] });
  map.fitBounds(bounds, { padding: 70, maxZoom: 14, animate: false });
  const here = new Marker({ element: h("div.here", { hidden: true }) }).setLngLat(at(fixes[0])).addTo(map);
  return (fix) => {
    here.getElement().hidden = !fix;
    if (fix) here.setLngLat(at(fix));
  };
}

const at = (fix) => [fix.lon, fix.lat];

function add(map, name, fixes, paint) {
  const runs = [];
  fixes.forEach((fix, index) => {
    if (!index || fix.time_ms - fixes[index - 1].time_ms > GAP_MS) runs.push([]);
    runs.at(-1).push(at(fix));
  });
  const features = runs.filter((run) => run.length > 1).map(line);
  map.addSource(name, { type: "geojson", data: { type: "FeatureCollection", features } });
  map.addLayer({ id: name, type: "line", source: name, layout: { "line-join": "round", "line-cap": "round" }, paint });
}

function pin(map, fix, name, words) {
  new Marker({ element: h(`div.pin.${name}`, {}, words), anchor: name === "begin" ? "bottom" : "top", offset: [0, name === "begin" ? -6 : 6] }).setLngLat(at(fix)).addTo(map);
}
