/** Case: marks of where the casework of a violation stands. */

import { h } from "./dom.js";
import { both, t } from "./language.js";
import { length, moment, ms, now } from "./times.js";

/** Its state. */
export function stateMark(found) {
  if (!found) return h("span.tag", {}, t("case.none"));
  return h("span.tag", { class: found.state }, both({ zh: found.state_zh, en: t(`state.${found.state}`) }));
}

/** When the next move is due, or by how much it is late. */
export function dueMark(found) {
  if (!found?.due_at) return null;
  const left = ms(found.due_at) - now();
  const title = t("due.at", { time: moment(found.due_at) });
  if (found.overdue || left < 0) return h("span.tag.overdue", { title }, t("due.late", { length: length(-left) }));
  return h("span.due", { title, class: left < 4 * 3600_000 ? "soon" : "" }, t("due.left", { length: length(left) }));
}
