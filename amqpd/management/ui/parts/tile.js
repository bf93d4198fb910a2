// Numbers that are read at a glance.

import { h } from "../lib/dom.js";

/** A number in large type; a link if it leads somewhere. */
export function tile(label, value, { address = null, colour = null } = {}) {
  const inside = [h("span", { class: "label" }, label), h("strong", {}, value)];
  const kind = `tile ${colour ? `series-${colour}` : ""}`.trim();
  return address ? h("a", { class: kind, href: address }, inside) : h("div", { class: kind }, inside);
}
