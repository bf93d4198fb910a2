// What the pages of the administration share.

import { session } from "../lib/session.js";
import { tabs } from "../parts/tabs.js";

const VIEWS = [
  ["users", "Users"],
  ["vhosts", "Virtual hosts"],
  ["policies", "Policies"],
  ["limits", "Limits"],
  ["definitions", "Definitions"],
];

/** Links between the pages of the administration that the user may see. */
export function adminTabs(route) {
  const segment = route.segments[1] ?? (session.administers ? "users" : "policies");
  const shown = session.administers ? VIEWS : VIEWS.filter(([name]) => name === "policies");
  const there = Object.assign(Object.create(route), { segments: ["admin", segment] });
  return tabs(there, 1, shown);
}
