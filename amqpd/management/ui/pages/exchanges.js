// All exchanges.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { rate } from "../lib/format.js";
import { DEFAULT_EXCHANGE, go, to } from "../lib/router.js";
import { session } from "../lib/session.js";
import { badge } from "../parts/badge.js";
import { button } from "../parts/button.js";
import { argumentList } from "../parts/details.js";
import { ask } from "../parts/dialog.js";
import { given } from "../parts/form.js";
import { listPage, vhostColumn } from "../parts/list.js";

export const exchangesPage = listPage({
  title: "Exchanges",
  path: (vhost) => (vhost ? path`exchanges/${vhost}` : "exchanges"),
  keyOf: (exchange) => `${exchange.vhost} ${exchange.name}`,
  actions: () => [button("New exchange", declare, "primary")],
  nothing: ["No exchanges", "Exchanges take messages from publishers and route them to queues."],
  columns: () => [
    {
      label: "Name",
      sort: "name",
      isTitle: true,
      cell: (exchange) => h("a", { href: to.exchange(exchange.vhost, exchange.name) }, exchangeTitle(exchange.name)),
    },
    vhostColumn(),
    { label: "Type", sort: "type", cell: (exchange) => badge(exchange.type) },
    { label: "Features", cell: features },
    { label: "Arguments", cell: (exchange) => argumentList(exchange.arguments) },
    { label: "Policy", sort: "policy", cell: (exchange) => exchange.policy },
    {
      label: "Published",
      sort: "message_stats.publish_in_details.rate",
      isNumber: true,
      cell: (exchange) => rate(exchange.message_stats?.publish_in_details.rate),
    },
    {
      label: "Routed",
      sort: "message_stats.publish_out_details.rate",
      isNumber: true,
      cell: (exchange) => rate(exchange.message_stats?.publish_out_details.rate),
    },
  ],
});

/** What an exchange is called: the default one has no name. */
export function exchangeTitle(name) {
  return name || "(default exchange)";
}

/** Properties of an exchange that were declared. */
export function features(exchange) {
  return [
    exchange.durable && badge("durable"),
    exchange.auto_delete && badge("auto-delete"),
    exchange.internal && badge("internal", { title: "Publishers cannot use it" }),
  ];
}

async function declare() {
  const { exchange_types: types } = await get("overview", { columns: "exchange_types" });
  ask({
    title: "New exchange",
    fields: [
      { name: "vhost", label: "Virtual host", type: "select", options: session.vhosts, value: session.defaultVhost },
      { name: "name", label: "Name", required: true },
      { name: "type", label: "Type", type: "select", options: types.map((type) => type.name), value: "direct" },
      { name: "durable", label: "Durable: survives a restart", type: "checkbox", value: true },
      { name: "auto_delete", label: "Auto-delete: goes with its last binding", type: "checkbox" },
      { name: "internal", label: "Internal: other exchanges alone publish to it", type: "checkbox" },
      { name: "alternate", label: "Alternate exchange", hint: "Takes messages that no binding matches", group: "Arguments" },
      {
        name: "others",
        label: "Further arguments, as JSON",
        type: "json",
        group: "Arguments",
        isWide: true,
        placeholder: '{"x-delayed-type": "direct"}',
      },
    ],
    action: "Declare",
    run: async ({ vhost, name, alternate, others, ...rest }) => {
      const values = { ...others, ...given({ "alternate-exchange": alternate }) };
      await call("PUT", path`exchanges/${vhost}/${name}`, { ...rest, arguments: values });
      go(to.exchange(vhost, name));
      return `Exchange ${name} is declared.`;
    },
  });
}

/** The exchange's segment in the API's paths. */
export function segmentOf(name) {
  return name || DEFAULT_EXCHANGE;
}
