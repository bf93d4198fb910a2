// Getting messages from the head of a queue, as a client with basic.get does.

import { call, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { ask } from "../parts/dialog.js";
import { empty } from "../parts/states.js";
import { messageCard } from "./message.js";

const MODES = [
  ["ack_requeue_true", "put them back"],
  ["ack_requeue_false", "remove them"],
  ["reject_requeue_true", "reject and put back"],
  ["reject_requeue_false", "reject: dead-letter or drop"],
];

/** Ask how many, and show them. */
export function takeMessages(queue) {
  ask({
    title: `Get messages from ${queue.name}`,
    intro: "What is put back counts as redelivered. To look without touching anything, browse the queue's messages instead.",
    isWide: true,
    fields: [
      { name: "count", label: "Messages", type: "number", min: 1, value: 1, required: true },
      { name: "ackmode", label: "Then", type: "select", options: MODES, value: "ack_requeue_true" },
      {
        name: "encoding",
        label: "Payload as",
        type: "select",
        options: [
          ["auto", "text if it is text"],
          ["base64", "base64"],
        ],
        value: "auto",
      },
    ],
    action: "Get",
    run: async (values) => {
      const messages = await call("POST", path`queues/${queue.vhost}/${queue.name}/get`, { ...values, truncate: 50_000 });
      return h(
        "div",
        { class: "results" },
        h("p", { class: "intro", role: "status" }, plural(messages.length, "message")),
        messages.length
          ? messages.map((message, position) => messageCard({ ...message, id: `got-${position}` }))
          : empty("Nothing to get", "The queue has no ready messages."),
      );
    },
  });
}
