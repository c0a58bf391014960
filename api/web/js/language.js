/** Language: which of the two the screens speak. */

import { WORDS } from "./words.js";

const KEPT = "warnloop.language";
let index = localStorage.getItem(KEPT) === "en" ? 1 : 0;

/** "zh" or "en": the names of fields that carry both. */
export const language = () => (index ? "en" : "zh");

/** "zh-CN" or "en". */
export const locale = () => (index ? "en" : "zh-CN");

/** Speak the other language from now on. */
export function change() {
  index = 1 - index;
  localStorage.setItem(KEPT, language());
  mark();
}

/** Say on the document which language it is in. */
export function mark() {
  document.documentElement.lang = locale();
  document.title = t("product");
}

/** The words of a key; `{name}` in them is replaced. A key that is missing shows itself. */
export function t(key, values = {}) {
  const words = WORDS[key]?.[index] ?? key;
  return words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The text of a pair {zh, en}, or a text as it stands. */
export function both(pair) {
  if (pair === null || pair === undefined) return "";
  return typeof pair === "object" ? (pair[language()] ?? pair.zh ?? "") : String(pair);
}
