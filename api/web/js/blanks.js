/** Blanks: what stands where there is nothing yet, nothing at all, or nothing because something went wrong. */

import { h, s } from "./dom.js";
import { t } from "./language.js";

const PICTURES = {
  calm: "M4 22c5-7 9-7 14 0s9 7 14 0 9-7 12-3M4 32c5-7 9-7 14 0s9 7 14 0 9-7 12-3",
  none: "M8 14h32v24H8zM8 14l6-8h20l6 8M18 22h12",
  wrong: "M24 8 42 40H6zM24 20v10M24 34v1",
};

function picture(name) {
  return s("svg", { width: 48, height: 48, viewBox: "0 0 48 48", fill: "none", stroke: "currentColor", "stroke-width": 2.5, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" },
    s("path", { d: PICTURES[name] }));
}

/** Nothing is there, and what that means. */
export function nothing(title, words, ...more) {
  return h("div.blank", {}, picture("none"), h("strong", {}, title), words && h("p", {}, words), ...more);
}

/** Nothing has happened, which is good. */
export const calm = (title, words) => h("div.blank", {}, picture("calm"), h("strong", {}, title), words && h("p", {}, words));

/** Something went wrong, and what to do. */
export function wrong(failure, again) {
  const words = failure.status === 404 ? t("wrong.404") : failure.status === 403 ? t("wrong.403") : failure.message;
  return h("div.blank", { role: "alert" }, picture("wrong"), h("strong", {}, failure.status === 404 ? t("wrong.none") : t("wrong")),
    h("p", {}, words), again && failure.status !== 404 && h("button.button", { onclick: again }, t("again")));
}

/** Bones of what is being loaded. */
export function bones(lines = 5) {
  const widths = [92, 74, 85, 60, 80, 66, 90, 70];
  return h("div.bones", { role: "status", "aria-label": t("loading") },
    Array.from({ length: lines }, (_, at) => h("i", { style: { width: `${widths[at % widths.length]}%` } })));
}

/** Fill an element with what a promise brings: bones first, then `made(value)`, or what went wrong. */
export async function bring(element, promised, made, lines = 5) {
  element.replaceChildren(bones(lines));
  element.setAttribute("aria-busy", "true");
  try {
    const value = await promised();
    element.replaceChildren(...[made(value)].flat());
  } catch (failure) {
    if (failure.status === undefined) console.error(failure);
    element.replaceChildren(wrong(failure, () => bring(element, promised, made, lines)));
  } finally {
    element.removeAttribute("aria-busy");
  }
}
