// Facts in pairs of a name and a value.

import { h } from "../lib/dom.js";
import { NOTHING } from "../lib/format.js";

const NO_VALUES = [null, undefined, false, ""];

/** Two columns: what it is, and its value; entries without a value are left out. */
export function details(entries) {
  const shown = entries.filter((entry) => entry && !NO_VALUES.includes(entry[1]));
  return h(
    "dl",
    { class: "details" },
    shown.map(([label, value]) => h("div", {}, h("dt", {}, label), h("dd", {}, value))),
  );
}

/** Names and values of an argument table. */
export function argumentList(values) {
  const entries = Object.entries(values ?? {});
  if (entries.length === 0) return NOTHING;
  return h(
    "ul",
    { class: "arguments" },
    entries.map(([name, value]) =>
      h("li", {}, h("code", {}, `${name} = ${typeof value === "object" ? JSON.stringify(value) : value}`)),
    ),
  );
}
