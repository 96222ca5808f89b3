/**
 * Making and keeping elements. Text is always text: nothing here reads markup.
 *
 * @module
 */

const svgNames = "http://www.w3.org/2000/svg";

/**
 * Makes an element of HTML.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [properties] `class`, `text`, attributes, and `on...` listeners.
 * @param {...(Node | string)} children
 */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/**
 * Makes an element of SVG.
 *
 * @param {string} tag
 * @param {Record<string, unknown>} [properties]
 * @param {...(Node | string)} children
 */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(svgNames, tag), properties, children);
}

/** Sets what is given; an attribute that is `undefined` goes. */
function fill(element, properties, children) {
  set(element, properties);
  element.append(...children);
  return element;
}

/**
 * Changes an element where it differs, so that what is focused or hovered stays.
 *
 * @param {Element} element
 * @param {Record<string, unknown>} properties
 */
export function set(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === "text") {
      if (element.textContent !== String(value)) element.textContent = String(value);
    } else if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (value === undefined || value === false) {
      element.removeAttribute(name);
    } else {
      const text = value === true ? "" : String(value);
      if (element.getAttribute(name) !== text) element.setAttribute(name, text);
    }
  }
  return element;
}

/** What stands in a container under which key. */
const kept = new WeakMap();

/**
 * Makes the children of a container those of `items`: keeps the elements of keys that stay.
 *
 * @template T
 * @param {Element} parent
 * @param {readonly T[]} items
 * @param {{ key: (item: T) => string, make: (item: T) => Element, update: (element: Element, item: T) => void }} how
 */
export function keyed(parent, items, { key, make, update }) {
  const before = kept.get(parent) ?? new Map();
  const after = new Map();
  let place = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    const element = before.get(id) ?? make(item);
    update(element, item);
    after.set(id, element);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const [id, element] of before) if (!after.has(id)) element.remove();
  kept.set(parent, after);
}

/** The element with an id. */
export function byId(id) {
  return document.getElementById(id);
}
