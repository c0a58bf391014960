/** Shell: the bar on top, and the room for a page below it. */

import { h, s, show } from "./dom.js";
import { change, locale, t } from "./language.js";
import { feed, follow, health, start, stop } from "./live.js";
import { close, go, turn } from "./pages.js";
import { is, logOut, session } from "./session.js";
import { ago, clock, day, now, weekday } from "./times.js";

let frame = null;
let bar = null;

const TABS = [
  ["centre", "/centre", ["centre", "operator", "county"]],
  ["violations", "/violations", ["centre", "operator", "county", "company"]],
  ["reports", "/reports", ["centre", "operator", "county", "company"]],
  ["pushes", "/pushes", ["centre", "county", "company"]],
];

/** Where somebody begins. */
export const home = () => (is("centre", "operator") ? "/centre" : "/violations");

/** The element for a page, with its tab marked. */
export function room(tab) {
  if (!frame?.isConnected) build();
  for (const link of bar.querySelectorAll("nav a")) {
    if (link.dataset.tab === tab) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const main = h("main", { id: "main", tabindex: -1, class: `page-${tab}` });
  frame.querySelector("main").replaceWith(main);
  return main;
}

function build() {
  const time = h("time.clock");
  const dayLine = h("span.day");
  const state = h("button.feed", { "aria-live": "polite", onclick: () => feed.state === "broken" && start() });
  bar = h("header.bar", {},
    h("a.skip", { href: "#main", onclick: (event) => { event.preventDefault(); document.getElementById("main").focus(); } }, t("skip")),
    h("a.mark", { href: `#${home()}` }, h("img", { src: "/icon.svg", alt: "", width: 26, height: 26 }),
      h("span", {}, h("b", {}, t("product.name")), h("small", {}, t("product.of")))),
    h("nav", { "aria-label": t("pages") }, TABS.filter(([, , roles]) => is(...roles)).map(([tab, path]) =>
      h("a", { href: `#${path}`, "data-tab": tab }, t(`tab.${tab}`)))),
    h("div.right-side", {}, state, h("div.time", {}, time, dayLine),
      h("div.who", {}, h("b", {}, session.me.tenant_name || t(`role.${session.me.role}`)), h("small", {}, `${t(`role.${session.me.role}`)} · ${session.me.actor}`)),
      h("button.button.plain.small", { onclick: speak, lang: locale() === "en" ? "zh-CN" : "en" }, t("language.other")),
      h("button.button.plain.small", { onclick: goOut }, t("logout"))));
  frame = h("div.frame", {}, bar, h("main"));
  show(document.getElementById("app"), frame);
  const tick = () => {
    if (!bar.isConnected) return false;
    time.textContent = clock(now());
    dayLine.textContent = `${day(now())} ${weekday(now())}`;
    return showHealth(state);
  };
  tick();
  const timer = setInterval(() => tick() === false && clearInterval(timer), 1000);
  const unfollow = follow((event) => event === "state" && (bar.isConnected ? showHealth(state) : unfollow()));
}

function showHealth(element) {
  const how = health();
  if (element.dataset.health === how && how !== "stale" && how !== "live") return;
  element.dataset.health = how;
  const words = how === "stale" && feed.age_ms ? t("feed.stale", { ago: ago(now() - feed.age_ms) }) : t(`feed.${how}`);
  if (element.textContent !== words) {
    show(element, s("svg", { width: 10, height: 10, viewBox: "0 0 10 10", "aria-hidden": "true" },
      how === "live" ? s("circle", { cx: 5, cy: 5, r: 4.5, fill: "currentColor" }) : s("path", { d: "M5 .5 9.7 9.3H.3z", fill: "currentColor" })),
    words);
    element.title = t(`feed.${how}.why`);
  }
}

function speak() {
  change();
  rebuild();
}

/** Make the shell anew: another language, another person. */
export function rebuild() {
  close();
  frame?.remove();
  frame = null;
  turn();
}

async function goOut() {
  await logOut();
  stop();
  close();
  frame?.remove();
  frame = null;
  history.replaceState(null, "", "#/");
  go("/login");
}
