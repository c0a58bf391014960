/** Dom: elements made of data, never of markup, so that no word from outside is ever read as HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element. `h("a.button", {href}, "text", child)`; properties that begin with "on" are listeners, `style` is an
 * object, false and null properties are left out, true ones stand without a value. Children: nodes, texts, arrays.
 */
export function h(what, properties = {}, ...children) {
  const [name, ...classes] = what.split(".");
  return fill(document.createElement(name || "div"), classes, properties, children);
}

/** An element of SVG, made like those of `h`. */
export function s(what, properties = {}, ...children) {
  const [name, ...classes] = what.split(".");
  return fill(document.createElementNS(SVG, name), classes, properties, children);
}

function fill(element, classes, properties, children) {
  if (classes.length) element.classList.add(...classes);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [rule, to] of Object.entries(value)) element.style.setProperty(rule, to);
    else if (name === "class") element.classList.add(...value.split(" ").filter(Boolean));
    else if (name === "value" && element instanceof HTMLElement) element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  put(element, ...children);
  return element;
}

/** Append children; empty ones are left out. */
export function put(element, ...children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Replace all children. */
export function show(element, ...children) {
  element.replaceChildren();
  put(element, ...children);
}

/** Say something at the foot of the screen, for a while. */
export function tell(words, bad = false) {
  const line = h("div", { class: bad ? "bad" : "" }, words);
  document.getElementById("told").append(line);
  setTimeout(() => line.remove(), bad ? 9000 : 4000);
}
