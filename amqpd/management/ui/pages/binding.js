// Bindings as a table, and how they are made and undone.

import { call, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { to } from "../lib/router.js";
import { session } from "../lib/session.js";
import { badge } from "../parts/badge.js";
import { button } from "../parts/button.js";
import { argumentList } from "../parts/details.js";
import { ask } from "../parts/dialog.js";
import { pagedTable } from "../parts/table.js";
import { exchangeTitle, segmentOf } from "./exchanges.js";

/** A table of bindings; all of one source or to one destination need not name that. */
export function bindingTable(bindings, route, { withSource = true, withDestination = true, canUnbind = false } = {}) {
  return pagedTable({
    label: "Bindings",
    route,
    rows: bindings,
    keyOf: (binding) =>
      [binding.vhost, binding.source, binding.destination_type, binding.destination, binding.properties_key].join(" "),
    columns: [
      {
        label: "From",
        isTitle: true,
        isHidden: !withSource,
        cell: (binding) => h("a", { href: to.exchange(binding.vhost, binding.source) }, exchangeTitle(binding.source)),
      },
      { label: "To", isTitle: !withSource, isHidden: !withDestination, cell: destination },
      { label: "Routing key", cell: (binding) => binding.routing_key && h("code", {}, binding.routing_key) },
      { label: "Arguments", cell: (binding) => argumentList(binding.arguments) },
      {
        label: "",
        isHidden: !canUnbind,
        cell: (binding) => (binding.source ? button("Unbind", () => unbind(binding), "small") : ""),
      },
    ],
  });
}

function destination({ vhost, destination: name, destination_type: kind }) {
  return [h("a", { href: kind === "queue" ? to.queue(vhost, name) : to.exchange(vhost, name) }, name), " ", badge(kind)];
}

function between(binding) {
  const { vhost, source, destination_type: kind, destination } = binding;
  return path`bindings/${vhost}/e/${segmentOf(source)}/${kind[0]}/${segmentOf(destination)}`;
}

/** Ask for a new binding; what is known already is filled in. */
export function bind({ vhost = session.defaultVhost, source = "", kind = "queue", destination: name = "" }) {
  ask({
    title: "New binding",
    fields: [
      { name: "vhost", label: "Virtual host", type: "select", options: session.vhosts, value: vhost },
      { name: "source", label: "From exchange", required: true, value: source },
      { name: "kind", label: "To a", type: "select", options: ["queue", "exchange"], value: kind },
      { name: "destination", label: "Named", required: true, value: name },
      {
        name: "routing_key",
        label: "Routing key",
        isWide: true,
        hint: "For a topic exchange: * stands for one word, # for any number of them",
      },
      {
        name: "arguments",
        label: "Arguments, as JSON",
        type: "json",
        group: "Arguments",
        isWide: true,
        placeholder: '{"x-match": "all", "format": "pdf"}',
      },
    ],
    action: "Bind",
    run: async (values) => {
      const target = {
        vhost: values.vhost,
        source: values.source,
        destination_type: values.kind,
        destination: values.destination,
      };
      await call("POST", between(target), { routing_key: values.routing_key ?? "", arguments: values.arguments });
      return "Bound.";
    },
  });
}

function unbind(binding) {
  ask({
    title: "Undo this binding?",
    intro: `Messages will no longer go from ${binding.source} to ${binding.destination} this way.`,
    action: "Unbind",
    isDanger: true,
    run: async () => {
      await call("DELETE", `${between(binding)}/${encodeURIComponent(binding.properties_key)}`);
      return "Unbound.";
    },
  });
}
