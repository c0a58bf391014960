/** Warnings: a strip of what can be seen coming, the newest first; light, and gone when it is decided. */

import { h, put } from "./dom.js";
import { both, t } from "./language.js";
import { follow } from "./live.js";
import { read } from "./server.js";
import { ago, clock, moment, now } from "./times.js";

const KEPT = 12;
const NEW_MS = 12_000;
const SHOWN_MS = 6 * 3_600_000;
const LOOK_MS = 60_000;

/** The strip, which is hidden while there is nothing to warn of; `ends` takes what is to be done on leaving. */
export function warningStrip(ends) {
  const list = h("ol", { role: "log", "aria-live": "polite" });
  const strip = h("section.warnings", { hidden: true, "aria-label": t("warnings") }, h("h2", { title: t("warnings.why") }, t("warnings")), list);
  const check = () => {
    for (const one of [...list.children]) if (now() - Number(one.dataset.at) > SHOWN_MS) one.remove();
    while (list.childElementCount > KEPT) list.lastElementChild.remove();
    strip.hidden = !list.childElementCount;
  };
  const has = (id) => list.querySelector(`[data-id="${CSS.escape(id)}"]`);
  ends.push(follow((event, data) => {
    if (event !== "warning" || has(data.warning.id)) return;
    const made = item(data.warning);
    made.classList.add("new");
    setTimeout(() => made.classList.remove("new"), NEW_MS);
    list.prepend(made);
    check();
  }));
  read("/warnings", { from_ms: now() - SHOWN_MS, limit: KEPT }).then(({ items }) => {
    put(list, items.filter((one) => !one.became && !has(one.id)).map(item));
    check();
  }).catch(() => {}); // it is an aside: what is told live still comes
  const looking = setInterval(check, LOOK_MS);
  ends.push(() => clearInterval(looking));
  return strip;
}

function item(one) {
  return h("li", { "data-id": one.id, "data-at": one.warned_ms },
    h("p.head", {}, h("b", {}, both({ zh: one.kind_zh, en: one.kind_en })), h("span", { class: `plate c${one.plate_color}` }, one.plate),
      h("time", { title: `${moment(one.warned_ms, true)} · ${ago(one.warned_ms)}` }, clock(one.warned_ms))),
    h("p.words", { title: one.company_name }, both(one.words)));
}
