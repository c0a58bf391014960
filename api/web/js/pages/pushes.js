/** Pushes: subscriptions, what became of their deliveries, and keys of programs. */

import { bring, calm, nothing } from "../blanks.js";
import { h, put, show, tell } from "../dom.js";
import { both, t } from "../language.js";
import { ask, read } from "../server.js";
import { is } from "../session.js";
import { moment } from "../times.js";

export function pushes(element) {
  const list = h("section.panel.subscriptions");
  const side = h("section.panel.side");
  const keys = h("section.panel.keys");
  const load = () => bring(list, () => read("/subscriptions"), ({ items }) => [
    h("header", {}, h("h2", {}, t("pushes")), h("button.button.small.main", { onclick: () => make(side, load) }, t("push.new"))),
    items.length ? h("ul", {}, items.map((one) => subscription(one, side, load))) : nothing(t("pushes.none"), t("pushes.none.why")),
  ], 4);
  show(element, h("div.top", {}, h("h1", {}, t("tab.pushes"))), h("div.columns.two", {}, h("div", {}, list, keys), side));
  show(side, nothing(t("push.pick"), t("push.pick.why")));
  load();
  showKeys(keys);
}

function subscription(one, side, load) {
  const state = one.disabled_at ? ["dead", "push.disabled"] : one.failing_since ? ["overdue", "push.failing"] : ["sent", "push.working"];
  return h("li", {}, h("button.one", { "data-id": one.id, onclick: () => open(side, one, load) },
    h("b", {}, one.name), h("span.tag", { class: state[0] }, t(state[1])), h("span.quiet", {}, `${t(`channel.${one.channel}`)} · ${one.target}`),
    h("small.faint", {}, one.disabled_at ? one.disabled_reason || moment(one.disabled_at) : one.last_sent_at ? t("push.last", { time: moment(one.last_sent_at, true) }) : t("push.never"),
      one.due ? ` · ${t("push.due", { n: one.due })}` : "")));
}

function open(side, one, load) {
  for (const other of document.querySelectorAll(".subscriptions .one")) other.toggleAttribute("aria-current", other.dataset.id === one.id);
  const found = h("div.deliveries");
  const act = (what, method = "POST") => async (event) => {
    event.currentTarget.disabled = true;
    try {
      const now = await ask(method, `/subscriptions/${one.id}${what}`);
      if (now) open(side, now, load);
      else show(side, nothing(t("push.gone"), t("push.pick.why")));
      load();
    } catch (failure) {
      tell(failure.message, true);
      event.target.disabled = false;
    }
  };
  const remove = h("button.button.small.grave", { onclick: (event) => {
    if (remove.dataset.sure) return act("", "DELETE")(event);
    remove.dataset.sure = "yes";
    remove.textContent = t("push.delete.sure");
    return undefined;
  } }, t("push.delete"));
  show(side, h("header", {}, h("h2", {}, one.name), h("span", {}, one.disabled_at
    ? h("button.button.small.main", { onclick: act("/enable") }, t("push.enable")) : h("button.button.small", { onclick: act("/disable") }, t("push.disable")), " ", remove)),
  one.disabled_at && h("p.note.bad", {}, h("strong", {}, t("push.disabled.since", { time: moment(one.disabled_at) })), " ", one.disabled_reason),
  !one.disabled_at && one.failing_since && h("p.note.doubt", {}, t("push.failing.since", { time: moment(one.failing_since) })),
  h("dl.facts", {}, [["push.channel", t(`channel.${one.channel}`)], ["push.target", one.target], ["push.topics", one.topics.map((each) => t(`topic.${each}`)).join("、")],
    ["push.least", t(`severity.${one.least_severity}`)], ["push.kinds", one.kinds.join(" ") || t("push.kinds.all")], ["push.language", one.language], ["push.made", `${moment(one.created_at)} · ${one.created_by}`],
  ].map(([name, value]) => [h("dt", {}, t(name)), h("dd", {}, value)])), h("header", {}, h("h2", {}, t("deliveries"))), found);
  bring(found, () => read(`/subscriptions/${one.id}/deliveries`, { limit: 50 }), ({ items }) => (items.length ? h("ul", {}, items.map(delivery)) : calm(t("deliveries.none"), t("deliveries.none.why"))), 5);
}

function delivery(one) {
  const tries = h("div.tries");
  const summary = h("summary", {}, h("span.tag", { class: one.state }, t(`delivery.${one.state}`)), h("b", {}, t(`event.${one.type}`)), h("time", {}, moment(one.last_at ?? one.created_at, true)),
    h("small.faint", {}, one.state === "due" && one.attempts ? t("delivery.next", { time: moment(one.due_at, true) }) : t("delivery.attempts", { n: one.attempts })));
  const details = h("details", { ontoggle: () => {
    if (!details.open || tries.childElementCount) return;
    bring(tries, () => read(`/deliveries/${one.id}`), (found) => [
      h("ol", {}, found.tries.map((each) => h("li", {}, h("span.tag", { class: each.outcome === "later" ? "returned" : each.outcome }, t(`outcome.${each.outcome}`)),
        h("time", {}, moment(each.began_at, true)), h("span.faint", {}, `${each.took_ms} ms`), each.status && h("span", {}, `HTTP ${each.status}`), each.detail && h("span.quiet", {}, each.detail)))),
      h("pre", { tabindex: 0, "aria-label": t("delivery.payload") }, JSON.stringify(found.payload, null, 2)),
    ], 3);
  } }, summary, tries);
  return h("li", {}, details);
}

function make(side, load) {
  const channel = h("select", { name: "channel" }, ["webhook", "email", "folder"].map((one) => h("option", { value: one }, t(`channel.${one}`))));
  const target = h("input", { name: "target", required: true, placeholder: t("target.webhook") });
  channel.addEventListener("change", () => { target.placeholder = t(`target.${channel.value}`); });
  const why = h("div", { role: "alert" });
  const form = h("form.inner", { onsubmit: async (event) => {
    event.preventDefault();
    const data = new FormData(form);
    try {
      const made = await ask("POST", "/subscriptions", { name: data.get("name").trim(), channel: data.get("channel"), target: data.get("target").trim(), topics: data.getAll("topics"),
        kinds: data.getAll("kinds"), least_severity: Number(data.get("least")), language: data.get("language") });
      open(side, made, load);
      if (made.secret) side.prepend(secret(t("push.secret"), made.secret, t("push.secret.why")));
      load();
    } catch (failure) {
      show(why, h("p.note.bad", {}, failure.message));
    }
  } },
  field("push.name", h("input", { name: "name", required: true, maxlength: 80 })), field("push.channel", channel), field("push.target", target),
  choices("push.topics", "topics", ["violation", "case", "report", "warning"].map((one) => [one, t(`topic.${one}`), one !== "warning"])),
  field("push.least", h("select", { name: "least" }, [1, 2, 3, 4].map((one) => h("option", { value: one }, `${t(`severity.${one}`)}${one < 4 ? t("push.andup") : ""}`)))),
  field("push.language", h("select", { name: "language" }, h("option", { value: "zh-CN" }, "中文"), h("option", { value: "en" }, "English"))), why,
  h("div.end", {}, h("button.button.main", { type: "submit" }, t("push.create")), h("button.button.plain", { type: "button", onclick: () => show(side, nothing(t("push.pick"), t("push.pick.why"))) }, t("cancel"))));
  const kinds = h("div");
  why.before(kinds);
  read("/catalogue").then(({ items }) => show(kinds, choices("push.kinds.hint", "kinds", items.map((one) => [one.code, `${one.code} ${both(one)}`, false])))).catch(() => {});
  show(side, h("header", {}, h("h2", {}, t("push.new"))), form);
  form.elements.name.focus();
}

const field = (name, input) => h("label.field", {}, h("span", {}, t(name)), input);

function choices(title, name, options) {
  return h("fieldset", {}, h("legend", {}, t(title)), h("div.checks", {}, options.map(([value, words, on]) => h("label", {}, h("input", { type: "checkbox", name, value, checked: on }), words))));
}

/** Something that is shown this once, and can be copied. */
function secret(title, value, words) {
  const box = h("div.secret.note.good", { role: "status" }, h("strong", {}, title), h("code", { tabindex: 0 }, value),
    h("button.button.small", { onclick: async (event) => {
      await navigator.clipboard?.writeText(value);
      event.target.textContent = t("copied");
    } }, t("copy")), h("p.small.quiet", {}, words));
  return box;
}

function showKeys(element) {
  const scopes = ["read", "casework", "manage", ...(is("centre") ? ["ingest", "registry"] : [])];
  const once = h("div");
  const why = h("div", { role: "alert" });
  const rows = h("div");
  const load = () => bring(rows, () => read("/keys"), ({ items }) => (items.length ? h("ul.keys", {}, items.map((one) => key(one, load))) : nothing(t("keys.none"), t("keys.none.why"))), 3);
  const form = h("form.inner", { hidden: true, onsubmit: async (event) => {
    event.preventDefault();
    const data = new FormData(form);
    try {
      const made = await ask("POST", "/keys", { name: data.get("name").trim(), scopes: data.getAll("scopes") });
      show(once, secret(t("key.secret"), made.key, t("key.secret.why")));
      show(why);
      form.reset();
      form.hidden = true;
      load();
    } catch (failure) {
      show(why, h("p.note.bad", {}, failure.message));
    }
  } }, field("key.name", h("input", { name: "name", required: true, maxlength: 80 })), choices("key.scopes", "scopes", scopes.map((one) => [one, t(`scope.${one}`), one === "read"])), why,
  h("div.end", {}, h("button.button.main", { type: "submit" }, t("key.create")), h("button.button.plain", { type: "button", onclick: () => { form.hidden = true; } }, t("cancel"))));
  show(element, h("header", {}, h("h2", {}, t("keys")), h("button.button.small", { onclick: () => { form.hidden = !form.hidden; } }, t("key.new"))), once, form, rows);
  load();
}

function key(one, load) {
  const revoke = h("button.button.small.plain", { onclick: async () => {
    if (!revoke.dataset.sure) {
      revoke.dataset.sure = "yes";
      revoke.textContent = t("key.revoke.sure");
      return;
    }
    try {
      await ask("DELETE", `/keys/${one.id}`);
      load();
    } catch (failure) {
      tell(failure.message, true);
    }
  } }, t("key.revoke"));
  const line = h("li", { class: one.revoked_at ? "gone" : "" }, h("b", {}, one.name), h("span.scopes", {}, one.scopes.map((each) => h("span.tag", {}, t(`scope.${each}`)))), h("small.faint", {}, `${moment(one.created_at)} · ${one.created_by}`));
  put(line, one.revoked_at ? h("span.tag.dead", {}, t("key.revoked")) : revoke);
  return line;
}
