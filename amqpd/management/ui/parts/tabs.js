// The choice between several views.

import { h } from "../lib/dom.js";
import { href } from "../lib/router.js";

/** Links between views of one thing; the segment behind the path chooses. */
export function tabs(route, depth, entries) {
  const chosen = route.segments[depth] ?? "";
  const base = route.segments.slice(0, depth);
  return h(
    "nav",
    { class: "tabs", "aria-label": "Views" },
    entries.map(([segment, label]) =>
      h("a", { href: href(segment ? [...base, segment] : base), "aria-current": chosen === segment ? "page" : null }, label),
    ),
  );
}
