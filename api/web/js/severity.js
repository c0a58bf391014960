/** Severity: a shape, a colour and a word; never the colour alone. */

import { h, s } from "./dom.js";
import { t } from "./language.js";

const SHAPES = {
  4: "M5.2 1h5.6L15 5.2v5.6L10.8 15H5.2L1 10.8V5.2z",
  3: "M8 1.2 15.4 14.6H.6z",
  2: "M8 .8 15.2 8 8 15.2.8 8z",
  1: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z",
};
const NUMBER_AT = { 4: 11.6, 3: 13, 2: 11.4, 1: 11.4 };

/** The shape of a severity with its number in it. */
export function shape(severity, size = 16) {
  const number = s("text", {
    x: 8, y: NUMBER_AT[severity], "text-anchor": "middle", "font-size": severity === 3 ? 9 : 10, "font-weight": 700, fill: "#0a1017",
  }, severity);
  return s("svg", { class: `sev${severity}`, width: size, height: size, viewBox: "0 0 16 16", "aria-hidden": "true" },
    s("path", { d: SHAPES[severity], fill: "currentColor" }), number);
}

/** Shape and word. */
export function severityMark(severity, size = 16) {
  return h("span", { class: `severity sev${severity}` }, shape(severity, size), t(`severity.${severity}`));
}
