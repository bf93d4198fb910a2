// All bindings but those to the default exchange, which say nothing: as a graph and as a table.

import { get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { session } from "../lib/session.js";
import { button } from "../parts/button.js";
import { EDGES_MAX, graph } from "../parts/graph.js";
import { head } from "../parts/head.js";
import { filter } from "../parts/list.js";
import { empty } from "../parts/states.js";
import { tabs } from "../parts/tabs.js";
import { bind, bindingTable } from "./binding.js";

const MOST = 500;

export const bindingsPage = {
  title: () => "Bindings",
  load: async (route, signal) => {
    const list = session.vhost ? path`bindings/${session.vhost}` : "bindings";
    // Filtering is by the source's name, and that of the default exchange is empty.
    const [found, exchanges] = await Promise.all([
      get(list, { page: 1, page_size: MOST, use_regex: "true", name: expression(route) }, signal),
      get("exchanges", { page: 1, page_size: MOST, columns: "name,type", use_regex: "true", name: "." }, signal),
    ]);
    return { found, types: new Map(exchanges.items.map((exchange) => [exchange.name, exchange.type])) };
  },
  view: ({ found, types }, route) => [
    head("Bindings", {
      beside: h("span", { class: "total" }, found.filtered_count.toLocaleString("en")),
      actions: [button("New binding", () => bind({}), "primary")],
    }),
    tabs(route, 1, [
      ["", "Graph"],
      ["table", "Table"],
    ]),
    filter(route, "Filter by name of the exchange"),
    content(found, types, route),
  ],
};

function expression(route) {
  const name = route.get("name");
  if (!name) return ".";
  return route.get("regex") === "true" ? name : name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function content({ items, filtered_count: total }, types, route) {
  if (total === 0) {
    return route.get("name")
      ? empty(
          "No match",
          "No exchange with a binding has a name like that.",
          h("a", { class: "button", href: route.with({ name: "", regex: "" }) }, "Clear the filter"),
        )
      : empty(
          "No bindings",
          "A binding leads messages from an exchange to a queue. Those from the default exchange are not shown here.",
        );
  }
  if (route.segments[1] === "table")
    return [bindingTable(items, route, { canUnbind: true }), total > items.length && more(items.length, total)];
  return [graph(items, types), total > EDGES_MAX && more(EDGES_MAX, total)];
}

function more(shown, total) {
  return h(
    "p",
    { class: "intro" },
    `The first ${shown} of ${total.toLocaleString("en")} bindings are shown: a virtual host or a filter brings up others.`,
  );
}
