// Limits of virtual hosts and of users.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { count } from "../lib/format.js";
import { session } from "../lib/session.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { head } from "../parts/head.js";
import { empty } from "../parts/states.js";
import { table } from "../parts/table.js";
import { adminTabs } from "./admin.js";

const OF_VHOSTS = [
  ["max-connections", "connections"],
  ["max-queues", "queues"],
];
const OF_USERS = [
  ["max-connections", "connections"],
  ["max-channels", "channels"],
];

export const limitsPage = {
  title: () => "Limits",
  load: async (route, signal) => {
    const [vhosts, users, names] = await Promise.all([
      get("vhost-limits", {}, signal),
      get("user-limits", {}, signal),
      get("users", { columns: "name" }, signal),
    ]);
    return { vhosts: entries(vhosts, "vhost"), users: entries(users, "user"), names: names.map((user) => user.name) };
  },
  view: ({ vhosts, users, names }, route) => [
    head("Limits"),
    adminTabs(route),
    section("Virtual hosts", "vhost-limits", vhosts, session.vhosts, OF_VHOSTS),
    section("Users", "user-limits", users, names, OF_USERS),
  ],
};

/** One entry for each limit instead of one for each owner. */
function entries(found, owner) {
  return found.flatMap((one) => Object.entries(one.value).map(([limit, value]) => ({ name: one[owner], limit, value })));
}

function section(title, kind, found, names, limits) {
  return h(
    "section",
    {},
    h(
      "div",
      { class: "bar-head" },
      h("h2", {}, title),
      button(`Limit ${title.toLowerCase()}`, () => set(title, kind, names, limits)),
    ),
    found.length
      ? limitTable(title, kind, found, limits)
      : empty("No limits", `${title} may open as much as the broker can hold.`),
  );
}

function limitTable(title, kind, found, limits) {
  return table({
    label: `Limits of ${title.toLowerCase()}`,
    rows: found,
    keyOf: (entry) => `${entry.name} ${entry.limit}`,
    columns: [
      { label: "Name", isTitle: true, cell: (entry) => h("strong", {}, entry.name) },
      { label: "Limit", cell: (entry) => `Most ${Object.fromEntries(limits)[entry.limit] ?? entry.limit}` },
      { label: "Value", isNumber: true, cell: (entry) => (entry.value < 0 ? "no limit" : count(entry.value)) },
      { label: "", cell: (entry) => button("Lift", () => lift(kind, entry), "small") },
    ],
  });
}

function set(title, kind, names, limits) {
  ask({
    title: `Limit ${title.toLowerCase()}`,
    fields: [
      { name: "name", label: "Name", type: "select", options: names },
      { name: "limit", label: "Most", type: "select", options: limits },
      { name: "value", label: "Value", type: "number", required: true, hint: "0 allows none, -1 any number" },
    ],
    action: "Set",
    run: async ({ name, limit, value }) => {
      await call("PUT", path`${kind}/${name}/${limit}`, { value });
      return "The limit is set.";
    },
  });
}

function lift(kind, entry) {
  ask({
    title: `Lift the limit ${entry.limit} of ${entry.name}?`,
    action: "Lift",
    run: async () => {
      await call("DELETE", path`${kind}/${entry.name}/${entry.limit}`);
      return "The limit is lifted.";
    },
  });
}
