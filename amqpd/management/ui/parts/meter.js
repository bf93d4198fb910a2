// Use of what is limited.

import { h } from "../lib/dom.js";

/** How much of something limited is used. */
export function meter(label, used, limit, words, isBad = false) {
  const share = limit ? Math.min(used / limit, 1) : 0;
  return h(
    "div",
    { class: isBad ? "meter bad" : "meter" },
    h("div", {}, h("span", {}, label), h("span", {}, words)),
    h(
      "div",
      {
        class: "bar",
        role: "meter",
        "aria-label": label,
        "aria-valuenow": Math.round(share * 100),
        "aria-valuemin": "0",
        "aria-valuemax": "100",
      },
      h("div", { style: { width: `${share * 100}%` } }),
    ),
  );
}
