// Small words that say what something is.

import { h } from "../lib/dom.js";

/** A small word in a frame. */
export function badge(text, { kind = "", title = null } = {}) {
  return h("span", { class: `badge ${kind}`.trim(), title }, text);
}
