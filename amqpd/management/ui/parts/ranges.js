// How far back charts reach.

import { h } from "../lib/dom.js";

const RANGES = [
  ["600", "10 min"],
  ["3600", "1 h"],
  ["28800", "8 h"],
];
const STEPS = { 600: 5, 3600: 30, 28800: 240 };

/** The query that asks the API for samples of the families (lengths, msg_rates, data_rates) over the address's range. */
export function sampled(route, ...families) {
  const age = STEPS[route.get("range")] ? route.get("range") : "600";
  return Object.fromEntries(
    families.flatMap((family) => [
      [`${family}_age`, age],
      [`${family}_incr`, STEPS[age]],
    ]),
  );
}

/** Links that choose the range of all charts on the page. */
export function ranges(route) {
  const chosen = route.get("range", "600");
  return h(
    "nav",
    { class: "segments", "aria-label": "Time range" },
    RANGES.map(([seconds, label]) =>
      h(
        "a",
        { href: route.with({ range: seconds === "600" ? "" : seconds }), "aria-current": seconds === chosen ? "true" : null },
        label,
      ),
    ),
  );
}
