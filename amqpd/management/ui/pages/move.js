// Moving and copying messages from one queue to elsewhere.

import { call, get, path } from "../lib/api.js";
import { plural } from "../lib/format.js";
import { ask } from "../parts/dialog.js";
import { toast } from "../parts/toast.js";

const SUGGESTED = 200;

/** Ask where to, and move the chosen messages; `chosen` is `{ids}` or `{filter}`, in words `what`. */
export async function move(queue, chosen, what, { copies = false } = {}) {
  const verb = copies ? "Copy" : "Move";
  ask({
    title: `${verb} ${what}`,
    intro: `From ${queue.name}. ${copies ? "The originals stay." : "What the target does not take stays where it is."}`,
    fields: [
      { name: "queue", label: "To queue", list: await neighbours(queue), isWide: true },
      { name: "exchange", label: "Or to exchange", group: "Through an exchange" },
      {
        name: "routing_key",
        label: "With routing key",
        hint: "Empty: each message keeps its own",
        group: "Through an exchange",
      },
      ...(chosen.ids
        ? []
        : [{ name: "count", label: "At most", type: "number", min: 1, hint: "Empty: all of them", group: "Limit" }]),
    ],
    action: verb,
    run: async ({ queue: name, exchange, routing_key, count }) => {
      if (!name && !exchange) throw Object.assign(new Error("Name a queue or an exchange."), { status: 400 });
      const target = name ? { queue: name } : { exchange, routing_key: routing_key ?? "" };
      const outcome = await call("POST", path`queues/${queue.vhost}/${queue.name}/messages/${copies ? "copy" : "move"}`, {
        ...chosen,
        ...target,
        ...(count ? { count } : {}),
      });
      return told(outcome, copies ? "copied" : "moved");
    },
  });
}

async function neighbours(queue) {
  const { items } = await get(path`queues/${queue.vhost}`, { page: 1, page_size: SUGGESTED, columns: "name" });
  return items.map((item) => item.name).filter((name) => name !== queue.name);
}

function told({ count, refused }, done) {
  if (refused) toast(`No queue took ${plural(refused, "message")}.`, { isError: true });
  return `${plural(count, "message")} ${done}.`;
}

/** Ask, and delete the chosen messages. */
export function deleteMessages(queue, chosen, what) {
  ask({
    title: `Delete ${what}?`,
    intro: `They leave ${queue.name} for good.`,
    action: "Delete",
    isDanger: true,
    run: async () => {
      const { count } = await call("POST", path`queues/${queue.vhost}/${queue.name}/messages/delete`, chosen);
      return `${plural(count, "message")} deleted.`;
    },
  });
}
