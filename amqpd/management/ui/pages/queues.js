// All queues.

import { call, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { count, rate } from "../lib/format.js";
import { go, to } from "../lib/router.js";
import { session } from "../lib/session.js";
import { badge } from "../parts/badge.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { given } from "../parts/form.js";
import { listPage, vhostColumn } from "../parts/list.js";
import { LIMITS, argumentsOf } from "./arguments.js";

const COLUMNS = [
  "name",
  "vhost",
  "type",
  "durable",
  "auto_delete",
  "exclusive",
  "arguments",
  "policy",
  "state",
  "consumers",
  "messages_ready",
  "messages_unacknowledged",
  "messages",
  "message_stats.publish_details.rate",
  "message_stats.deliver_get_details.rate",
  "message_stats.ack_details.rate",
];

export const queuesPage = listPage({
  title: "Queues",
  path: (vhost) => (vhost ? path`queues/${vhost}` : "queues"),
  query: { columns: COLUMNS.join(",") },
  keyOf: (queue) => `${queue.vhost} ${queue.name}`,
  actions: () => [button("New queue", declare, "primary")],
  nothing: ["No queues yet", "Declare one here, or let a client do it when it starts."],
  columns: () => [
    {
      label: "Name",
      sort: "name",
      isTitle: true,
      cell: (queue) => h("a", { href: to.queue(queue.vhost, queue.name) }, queue.name),
    },
    vhostColumn(),
    { label: "Features", cell: features },
    { label: "State", sort: "state", cell: stateOf },
    { label: "Ready", sort: "messages_ready", isNumber: true, cell: (queue) => count(queue.messages_ready) },
    {
      label: "Unacknowledged",
      sort: "messages_unacknowledged",
      isNumber: true,
      cell: (queue) => count(queue.messages_unacknowledged),
    },
    { label: "Consumers", sort: "consumers", isNumber: true, cell: (queue) => count(queue.consumers) },
    {
      label: "In",
      sort: "message_stats.publish_details.rate",
      isNumber: true,
      cell: (queue) => rate(queue.message_stats.publish_details.rate),
    },
    {
      label: "Out",
      sort: "message_stats.deliver_get_details.rate",
      isNumber: true,
      cell: (queue) => rate(queue.message_stats.deliver_get_details.rate),
    },
    {
      label: "Acknowledged",
      sort: "message_stats.ack_details.rate",
      isNumber: true,
      cell: (queue) => rate(queue.message_stats.ack_details.rate),
    },
  ],
});

/** Properties of a queue that were declared. */
export function features(queue) {
  const values = Object.keys(queue.arguments).length;
  return [
    queue.type !== "classic" && badge(queue.type),
    queue.durable && badge("durable"),
    queue.auto_delete && badge("auto-delete"),
    queue.exclusive && badge("exclusive"),
    values > 0 &&
      badge(`${values} arg${values > 1 ? "s" : ""}`, {
        title: Object.entries(queue.arguments)
          .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
          .join("\n"),
      }),
    queue.policy && badge(queue.policy, { title: "Policy" }),
  ];
}

/** What the queue does, in colour. */
export function stateOf(queue) {
  return badge(queue.state, { kind: queue.state === "running" ? "good" : "warn" });
}

function declare() {
  ask({
    title: "New queue",
    fields: [
      { name: "vhost", label: "Virtual host", type: "select", options: session.vhosts, value: session.defaultVhost },
      { name: "name", label: "Name", required: true },
      { name: "durable", label: "Durable: survives a restart", type: "checkbox", value: true },
      { name: "auto_delete", label: "Auto-delete: goes with its last consumer", type: "checkbox" },
      ...LIMITS.map((field) => ({ ...field, group: "Limits and dead letters" })),
      {
        name: "x-max-priority",
        label: "Priorities",
        type: "number",
        min: 1,
        hint: "Highest priority of a message, up to 255",
        group: "Behaviour",
      },
      { name: "x-single-active-consumer", label: "Single active consumer", type: "checkbox", group: "Behaviour" },
      {
        name: "others",
        label: "Further arguments, as JSON",
        type: "json",
        group: "Behaviour",
        isWide: true,
        placeholder: '{"x-queue-type": "classic"}',
      },
    ],
    action: "Declare",
    run: async ({ vhost, name, durable, auto_delete, others, ...values }) => {
      const single = values["x-single-active-consumer"] || null;
      const table = {
        ...others,
        ...argumentsOf(values),
        ...given({ "x-max-priority": values["x-max-priority"], "x-single-active-consumer": single }),
      };
      await call("PUT", path`queues/${vhost}/${name}`, { durable, auto_delete, arguments: table });
      go(to.queue(vhost, name));
      return `Queue ${name} is declared.`;
    },
  });
}
