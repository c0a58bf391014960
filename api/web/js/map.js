/** Map: county outlines on a dark ground, made of nothing but what the server has. */

import { LngLatBounds, Map, Marker, NavigationControl, setWorkerUrl } from "/vendor/maplibre-gl/maplibre-gl.mjs";
import { counties, shortName } from "./counties.js";
import { h } from "./dom.js";
import { locale, t } from "./language.js";

setWorkerUrl(new URL("/vendor/maplibre-gl/maplibre-gl-worker.mjs", location.href).href);

const STYLE = { version: 8, sources: {}, layers: [{ id: "ground", type: "background", paint: { "background-color": "#0a1017" } }] };

/** A map in an element; resolves when it can be drawn upon. */
export async function drawMap(element, { padding = 24, labels = true } = {}) {
  const sheet = document.querySelector("link[data-map]");
  if (!sheet) document.head.prepend(h("link", { rel: "stylesheet", href: "/vendor/maplibre-gl/maplibre-gl.css", "data-map": true }));
  const found = await counties();
  const bounds = bounds_of(found);
  const map = new Map({
    container: element, style: STYLE, bounds, fitBoundsOptions: { padding }, attributionControl: false, dragRotate: false,
    pitchWithRotate: false, touchPitch: false, maxZoom: 16, minZoom: 4, fadeDuration: 0,
    locale: { "NavigationControl.ZoomIn": t("map.in"), "NavigationControl.ZoomOut": t("map.out"), "Map.Title": t("map") },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "bottom-right");
  await new Promise((resolve) => map.once("load", resolve));
  map.addSource("counties", { type: "geojson", data: found });
  map.addLayer({ id: "county", type: "fill", source: "counties", paint: { "fill-color": "#13202d" } });
  map.addLayer({ id: "county-glow", type: "line", source: "counties", paint: { "line-color": "#2b5f80", "line-width": 5, "line-blur": 5, "line-opacity": .5 } });
  map.addLayer({ id: "county-line", type: "line", source: "counties", paint: { "line-color": "#3d6785", "line-width": 1 } });
  if (labels) for (const one of found.features) label(map, one);
  map.home = () => map.fitBounds(bounds, { padding });
  return map;
}

function label(map, { geometry, properties }) {
  const element = h("div.county-name", { lang: locale() }, shortName(properties.name));
  new Marker({ element, anchor: "center" }).setLngLat(middle(geometry)).addTo(map);
}

/** Centre of gravity of the largest ring, where a name stands well. */
function middle({ type, coordinates }) {
  const rings = type === "Polygon" ? [coordinates[0]] : coordinates.map((one) => one[0]);
  let best = { area: -1, at: rings[0][0] };
  for (const ring of rings) {
    let [area, x, y] = [0, 0, 0];
    for (let at = 1; at < ring.length; at++) {
      const [a, b] = [ring[at - 1], ring[at]];
      const cross = a[0] * b[1] - b[0] * a[1];
      area += cross / 2;
      x += ((a[0] + b[0]) * cross) / 6;
      y += ((a[1] + b[1]) * cross) / 6;
    }
    if (Math.abs(area) > best.area) best = { area: Math.abs(area), at: area ? [x / area, y / area] : ring[0] };
  }
  return best.at;
}

/** Smallest box around the features of a collection. */
export function bounds_of({ features }) {
  const box = new LngLatBounds();
  const take = (part) => (typeof part[0] === "number" ? box.extend(part) : part.forEach(take));
  for (const { geometry } of features) take(geometry.coordinates);
  return box.isEmpty() ? new LngLatBounds([84.5, 42.5], [92, 46]) : box;
}
