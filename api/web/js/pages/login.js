/** Login. */

import { forgetCounties } from "../counties.js";
import { h, show } from "../dom.js";
import { change, locale, t } from "../language.js";
import { logIn } from "../session.js";

/** Show the form; `done()` is called when somebody is logged in. */
export function login(element, expired, done) {
  const name = h("input", { name: "login", autocomplete: "username", required: true, autocapitalize: "none", spellcheck: "false" });
  const password = h("input", { name: "password", type: "password", autocomplete: "current-password", required: true });
  const why = h("div", { role: "alert" });
  const button = h("button.button.main", { type: "submit" }, t("login"));
  if (expired) show(why, h("p.note.doubt", {}, t("login.expired")));

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    show(why);
    try {
      await logIn(name.value.trim(), password.value);
      forgetCounties();
      done();
    } catch (failure) {
      show(why, h("p.note.bad", {}, failure.status === 401 ? t("login.refused") : failure.message));
      password.value = "";
      password.focus();
    } finally {
      button.disabled = false;
    }
  }

  show(element, h("main.login", {},
    h("form", { onsubmit: submit },
      h("img", { src: "/icon.svg", alt: "", width: 52, height: 52 }),
      h("h1", {}, t("product.name")),
      h("p.quiet", {}, t("product.long")),
      h("label.field", {}, h("span", {}, t("login.name")), name),
      h("label.field", {}, h("span", {}, t("login.password")), password),
      why, button,
      h("button.button.plain.small", {
        type: "button", lang: locale() === "en" ? "zh-CN" : "en",
        onclick: () => { change(); login(element, expired, done); },
      }, t("language.other")))));
  name.focus();
}
