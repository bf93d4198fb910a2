// What stands at the top of a page.

import { h } from "../lib/dom.js";
import { icon } from "./icons.js";

/** The head of a page: title, what it says beside it, and what can be done. */
export function head(title, { beside = null, actions = [], back = null } = {}) {
  return h(
    "header",
    { class: "head" },
    h(
      "div",
      { class: "names" },
      back && h("a", { class: "back", href: back[0] }, icon("previous"), back[1]),
      h("h1", { tabindex: "-1" }, title),
      beside && h("div", { class: "beside" }, beside),
    ),
    h("div", { class: "actions" }, actions),
  );
}
