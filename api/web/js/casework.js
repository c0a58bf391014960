/** Casework: what was done about a violation, and what may be done now. */

import { Attachments } from "./attachments.js";
import { calm } from "./blanks.js";
import { h, show, tell } from "./dom.js";
import { both, t } from "./language.js";
import { address, ask, read } from "./server.js";
import { moment } from "./times.js";

const GRAVE = new Set(["return", "false_alarm", "reject_appeal"]);
const MAIN = new Set(["acknowledge", "submit", "accept", "close"]);
const WITH_FILES = new Set(["submit", "appeal", "return", "false_alarm", "reject_appeal"]);
const MOST_WORDS = 4000;
const drafts = new Map(); // words and files that were not sent yet, by violation and move

/** Draw the casework of a violation; `changed()` is called after a move. What was not sent is kept. */
export async function casework(element, violation, changed) {
  if (!element.desk?.isConnected) {
    element.desk = h("div.desk");
    element.past = h("ol.moves");
    show(element, h("header", {}, h("h2", {}, t("casework"))), element.desk, element.past);
  }
  if (!violation.case) {
    const why = violation.superseded_by ? t("case.none.superseded", { kind: violation.superseded_by }) : t("case.none.why");
    show(element.desk, calm(t("case.none"), why));
    return;
  }
  show(element.past, violation.moves.toReversed().map(move));
  try {
    const legal = await read(`/violations/${encodeURIComponent(violation.id)}/moves/legal`);
    if (element.desk.number === legal.number && element.desk.childElementCount) return;
    element.desk.number = legal.number;
    desk(element.desk, violation, legal, changed);
  } catch (failure) {
    show(element.desk, failure.status === 403 ? null : h("p.note.bad", { role: "alert" }, failure.message));
  }
}

function move(one) {
  const who = [t(`role.${one.role}`), one.tenant_name].filter((part, at, all) => part && part !== all[at - 1] && !part.startsWith("role."));
  return h("li", { class: one.to_state },
    h("div.head", {}, h("b", {}, both({ zh: one.move_zh, en: one.move_en })), h("span.quiet", {}, t(`state.${one.to_state}`)),
      h("time", {}, moment(one.made_at, true))),
    h("div.small.quiet", {}, [...who, one.actor].filter(Boolean).join(" · ")),
    one.words && h("p.said", {}, one.words),
    one.attachments.length > 0 && h("ul.files", {}, one.attachments.map((file) => h("li", {},
      h("a", { href: address(`/attachments/${file.sha256}`), download: file.name }, file.name), h("span.faint.small", {}, ` ${size(file.bytes)}`)))));
}

export const size = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${(bytes / 1024).toFixed(0)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);

/** The moves that are legal now, as buttons; those that need words open a form. */
function desk(element, violation, { legal, number }, changed) {
  const form = h("div");
  const why = h("div", { role: "alert" });
  if (!legal.length) {
    show(element, h("p.quiet.small.waits", {}, t(`waits.${violation.case.state}`)));
    return;
  }
  const make = async (name, words, attachments, button) => {
    button.disabled = true;
    show(why);
    try {
      const done = await ask("POST", `/violations/${encodeURIComponent(violation.id)}/moves`, { move: name, words, attachments, expected: number });
      drafts.delete(`${violation.id} ${name}`);
      tell(t("move.done", { state: t(`state.${done.state}`) }));
      element.number = null;
      element.replaceChildren();
      changed();
    } catch (failure) {
      button.disabled = false;
      show(why, h("p.note.bad", {}, failure.message, failure.status === 409 && h("button.button.small", { onclick: () => { element.replaceChildren(); changed(); } }, t("move.reload"))));
    }
  };
  const buttons = legal.map((one) => {
    const name = both(one);
    const kind = GRAVE.has(one.move) ? "grave" : MAIN.has(one.move) ? "main" : "";
    const button = h("button.button", { class: kind, "data-move": one.move, onclick: () => {
      if (!one.words_required) return make(one.move, "", [], button);
      for (const other of buttons) other.setAttribute("aria-expanded", String(other === button));
      return writing(form, violation, one, make, why);
    } }, name);
    if (one.words_required) button.setAttribute("aria-expanded", "false");
    return button;
  });
  show(element, h("div.buttons", {}, buttons), form, why);
}

function writing(element, violation, one, make, why) {
  const draft = `${violation.id} ${one.move}`;
  if (!drafts.has(draft)) drafts.set(draft, { words: "", files: WITH_FILES.has(one.move) ? new Attachments() : null });
  const kept = drafts.get(draft);
  const { files } = kept;
  const words = h("textarea", { name: "words", maxlength: MOST_WORDS, required: true, placeholder: t(`words.${one.move}.hint`),
    value: kept.words, oninput: () => { kept.words = words.value; } });
  const send = h("button.button", { type: "submit", class: GRAVE.has(one.move) ? "grave" : "main" }, t("move.confirm", { move: both(one) }));
  show(why);
  show(element, h("form.writing", { onsubmit: async (event) => {
    event.preventDefault();
    if (!words.value.trim()) {
      words.setAttribute("aria-invalid", "true");
      show(why, h("p.note.bad", {}, t("words.needed")));
      return words.focus();
    }
    words.removeAttribute("aria-invalid");
    if (files?.busy()) return show(why, h("p.note.doubt", {}, t("files.busy")));
    if (files?.failed()) return show(why, h("p.note.bad", { role: "alert" }, t("files.failed")));
    return make(one.move, words.value.trim(), files?.sent() ?? [], send);
  } },
  h("label.field", {}, h("span", {}, t(`words.${one.move}`)), words), files?.element,
  h("div.end", {}, send, h("button.button.plain", { type: "button", onclick: () => element.replaceChildren() }, t("cancel")))));
  words.focus();
}
