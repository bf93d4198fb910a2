// One exchange: what leads to it, where it leads, and publishing to it.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { plural, rate } from "../lib/format.js";
import { DEFAULT_EXCHANGE, go } from "../lib/router.js";
import { badge } from "../parts/badge.js";
import { button } from "../parts/button.js";
import { chart } from "../parts/chart.js";
import { argumentList, details } from "../parts/details.js";
import { ask } from "../parts/dialog.js";
import { EDGES_MAX, graph } from "../parts/graph.js";
import { head } from "../parts/head.js";
import { sampled } from "../parts/ranges.js";
import { rates } from "../parts/scale.js";
import { empty } from "../parts/states.js";
import { bind, bindingTable } from "./binding.js";
import { exchangeTitle, features, segmentOf } from "./exchanges.js";
import { publish } from "./publish.js";
import { loadScheduled, scheduledView } from "./scheduled.js";

export const exchangePage = {
  title: (route) => route.segments[2],
  load: async (route, signal) => {
    const here = path`exchanges/${route.segments[1]}/${route.segments[2]}`;
    const exchange = await get(here, sampled(route, "msg_rates"), signal);
    if (route.segments[2] === DEFAULT_EXCHANGE) return { exchange, from: [], into: [] };
    const [from, into, scheduled] = await Promise.all([
      get(`${here}/bindings/source`, {}, signal),
      get(`${here}/bindings/destination`, {}, signal),
      isDelaying(exchange) ? loadScheduled(here, route, signal).catch(withoutRight) : null,
    ]);
    return { exchange, from, into, scheduled };
  },
  view: ({ exchange, from, into, scheduled }, route) => {
    const isDefault = exchange.name === "";
    return [
      head(exchangeTitle(exchange.name), {
        back: ["#/exchanges", "Exchanges"],
        beside: [badge(exchange.type), features(exchange)],
        actions: [
          !exchange.internal && button("Publish", () => publish({ vhost: exchange.vhost, exchange: exchange.name })),
          !isDefault && button("Bind", () => bind({ vhost: exchange.vhost, source: exchange.name })),
          !isDefault && !exchange.name.startsWith("amq.") && button("Delete", () => remove(exchange, from.length), "danger"),
        ],
      }),
      h(
        "section",
        { class: "panel" },
        details([
          ["Virtual host", exchange.vhost],
          ["Type", exchange.type],
          ["Policy", exchange.policy],
          ["Arguments", argumentList(exchange.arguments)],
        ]),
      ),
      exchange.message_stats && flow(exchange.message_stats),
      picture(from, into),
      h(
        "section",
        {},
        h("h2", {}, "Leads to"),
        from.length ? bindingTable(from, route, { withSource: false, canUnbind: true }) : nowhere(isDefault),
      ),
      into.length > 0 &&
        h("section", {}, h("h2", {}, "Fed by"), bindingTable(into, route, { withSource: true, canUnbind: true })),
      scheduled && scheduledView(exchange, scheduled, route),
    ];
  },
};

/** True if the exchange may hold messages back. */
function isDelaying(exchange) {
  return exchange.messages_delayed !== undefined;
}

/** Who may not read from the exchange sees the rest of the page. */
function withoutRight(error) {
  if (error.status !== 401 || error.isLoggedOut) throw error;
  return null;
}

function flow(stats) {
  return chart({
    title: "Message rates",
    format: rate,
    series: [
      { label: "Published to it", colour: 3, points: rates(stats.publish_in_details) },
      { label: "Routed to queues", colour: 4, points: rates(stats.publish_out_details) },
    ],
  });
}

function nowhere(isDefault) {
  return isDefault
    ? empty("Leads to every queue", "The routing key is the queue's name. These bindings cannot be changed.")
    : empty("Leads nowhere", "Messages to this exchange are dropped, or returned if they are mandatory.");
}

function picture(from, into) {
  const all = [...into, ...from];
  if (all.length === 0) return null;
  return h(
    "section",
    {},
    graph(all),
    all.length > EDGES_MAX && h("p", { class: "intro" }, `The first ${EDGES_MAX} of ${all.length} bindings are drawn.`),
  );
}

function remove(exchange, bindings) {
  ask({
    title: `Delete exchange ${exchange.name}?`,
    intro: bindings
      ? `Its ${plural(bindings, "binding")} go with it. Publishers that use it get an error.`
      : "Publishers that use it get an error.",
    action: "Delete",
    isDanger: true,
    run: async () => {
      await call("DELETE", path`exchanges/${exchange.vhost}/${segmentOf(exchange.name)}`);
      go("#/exchanges");
      return `Exchange ${exchange.name} is deleted.`;
    },
  });
}
