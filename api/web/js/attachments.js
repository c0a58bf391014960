/** Attachments: files that go with a move, uploaded as soon as they are chosen. */

import { h, show } from "./dom.js";
import { t } from "./language.js";
import { upload } from "./server.js";

const MOST = 10;
const MOST_BYTES = 10 * 1024 * 1024;
const ENDINGS = /\.(jpe?g|png|webp|pdf)$/i;

/** A place to choose files and see how they fare. */
export class Attachments {
  constructor() {
    this.files = [];
    this.list = h("ul.uploads", { "aria-live": "polite" });
    const input = h("input.out-of-sight", { type: "file", multiple: true, accept: ".jpg,.jpeg,.png,.webp,.pdf", onchange: () => {
      this.take(input.files);
      input.value = "";
    } });
    const place = h("label.drop", { ondragover: (event) => { event.preventDefault(); place.classList.add("over"); },
      ondragleave: () => place.classList.remove("over"),
      ondrop: (event) => { event.preventDefault(); place.classList.remove("over"); this.take(event.dataTransfer.files); } },
    input, h("span", {}, t("files.choose")), h("small.faint", {}, t("files.which")));
    this.element = h("div.attachments", {}, place, this.list);
  }

  take(files) {
    for (const file of files) this.add(file);
  }

  add(file) {
    const one = { file, sent: null, busy: false, line: h("li") };
    const refused = this.files.length >= MOST ? t("files.many", { n: MOST }) : file.size > MOST_BYTES ? t("files.large") : !file.size ? t("files.empty") : !ENDINGS.test(file.name) ? t("files.kind") : "";
    this.files.push(one);
    this.list.append(one.line);
    if (refused) this.tell(one, refused);
    else this.send(one);
  }

  async send(one) {
    const bar = h("progress", { max: 1, value: 0, "aria-label": one.file.name });
    one.busy = true;
    show(one.line, h("span", {}, one.file.name), bar);
    try {
      one.sent = await upload("/attachments", one.file, (part) => { bar.value = part; });
      one.busy = false;
      show(one.line, h("span", {}, one.sent.name), h("span.done", {}, t("files.done")), this.gone(one));
    } catch (failure) {
      one.busy = false;
      this.tell(one, failure.message, () => this.send(one));
    }
  }

  tell(one, words, again) {
    one.line.classList.add("bad");
    show(one.line, h("span", {}, one.file.name), h("span.why", { role: "alert" }, words),
      again && h("button.button.plain.small", { type: "button", onclick: () => { one.line.classList.remove("bad"); again(); } }, t("again")), this.gone(one));
  }

  gone(one) {
    return h("button.button.plain.small", { type: "button", "aria-label": t("files.remove", { name: one.file.name }), onclick: () => {
      this.files.splice(this.files.indexOf(one), 1);
      one.line.remove();
    } }, "✕");
  }

  /** Whether one was refused, or did not arrive, and is still in the list. */
  failed() { return this.files.some((one) => !one.sent && !one.busy); }

  busy() { return this.files.some((one) => one.busy); }

  /** What the move takes: names and hashes of what has arrived. */
  sent() { return this.files.filter((one) => one.sent).map(({ sent }) => ({ name: sent.name, sha256: sent.sha256 })); }
}
