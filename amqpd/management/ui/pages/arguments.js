// Arguments of queues that can be changed while the queue lives: its limits, and where its dead letters go.

import { call, path } from "../lib/api.js";
import { ask } from "../parts/dialog.js";
import { given } from "../parts/form.js";

export const LIMITS = [
  { name: "x-message-ttl", label: "Messages expire after", type: "number", min: 0, hint: "Milliseconds" },
  { name: "x-expires", label: "Queue expires if unused for", type: "number", min: 1, hint: "Milliseconds" },
  { name: "x-max-length", label: "Most messages", type: "number", min: 0 },
  { name: "x-max-length-bytes", label: "Most bytes", type: "number", min: 0 },
  {
    name: "x-overflow",
    label: "When it is full",
    type: "select",
    options: [
      ["", "drop the oldest (default)"],
      ["drop-head", "drop the oldest"],
      ["reject-publish", "refuse new ones"],
      ["reject-publish-dlx", "dead-letter new ones"],
    ],
  },
  { name: "x-delivery-limit", label: "Most deliveries of a message", type: "number", min: 0 },
  { name: "x-dead-letter-exchange", label: "Dead letter exchange" },
  { name: "x-dead-letter-routing-key", label: "Dead letter routing key" },
];

/** Those arguments among a form's values that were given. */
export function argumentsOf(values) {
  return given(Object.fromEntries(LIMITS.map(({ name }) => [name, values[name]])));
}

/** Ask for other limits of a living queue. */
export function changeLimits(queue) {
  ask({
    title: `Limits of ${queue.name}`,
    intro: "They take effect at once; an empty field takes a limit away. Policies apply beside them.",
    fields: LIMITS.map((field) => ({ ...field, value: queue.arguments[field.name] })),
    action: "Save",
    run: async (values) => {
      const changes = LIMITS.map(({ name }) => [name, values[name]]).filter(
        ([name, value]) => value !== (queue.arguments[name] ?? null),
      );
      if (changes.length === 0) return "Nothing has changed.";
      await call("PATCH", path`queues/${queue.vhost}/${queue.name}`, { arguments: Object.fromEntries(changes) });
      return "The limits are changed.";
    },
  });
}
