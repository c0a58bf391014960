/** Pages: which one is shown for which address behind the #. */

const routes = [];
let leave = null;
let turned = 0;

/** Show `page(element, parameters, query)` at a pattern like "/violations/:id"; it may return what to do on leaving. */
export function at(pattern, page, tab = "") {
  const names = [...pattern.matchAll(/:(\w+)/g)].map((match) => match[1]);
  routes.push({ expression: new RegExp(`^${pattern.replace(/:\w+/g, "([^/]+)")}$`), names, page, tab });
}

/** Path and query behind the #. */
export function here() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  return { path: path || "/", query: new URLSearchParams(query) };
}

export function go(path) {
  if (location.hash === `#${path}`) turn();
  else location.hash = path;
}

/** Change the query of this address without turning the page. */
export function remember(query) {
  const text = query.toString();
  history.replaceState(null, "", `#${here().path}${text && `?${text}`}`);
}

export let turn = () => {};

/**
 * Begin: `frame(tab)` gives the element for a page, `home()` the address of the first one; where `may()` says no,
 * `ask()` is called instead of showing a page.
 */
export function begin(frame, home, may, ask) {
  turn = () => {
    if (!may()) return close(), ask();
    const { path, query } = here();
    if (path === "/") return history.replaceState(null, "", `#${home()}`), turn();
    for (const { expression, names, page, tab } of routes) {
      const found = path.match(expression);
      if (!found) continue;
      close();
      turned += 1;
      const element = frame(tab);
      leave = page(element, Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(found[at + 1])])), query) ?? null;
      return undefined;
    }
    return go(home());
  };
  addEventListener("hashchange", () => turn());
  turn();
}

/** Whether another page of these was shown before this one. */
export const cameFrom = () => turned > 1;

/** Leave the page that is shown. */
export function close() {
  if (typeof leave === "function") leave();
  leave = null;
}
