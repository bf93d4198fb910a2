// Buttons.

import { h } from "../lib/dom.js";
import { icon } from "./icons.js";

/** A button that does something. */
export function button(label, onclick, kind = null) {
  return h("button", { type: "button", class: kind, onclick }, kind === "primary" && icon("plus"), label);
}
