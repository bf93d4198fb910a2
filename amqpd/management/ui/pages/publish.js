// Publishing a message by hand.

import { call, path } from "../lib/api.js";
import { session } from "../lib/session.js";
import { ask } from "../parts/dialog.js";
import { given } from "../parts/form.js";
import { segmentOf } from "./exchanges.js";

/** Ask for a message, and publish it; what is known already is filled in. */
export function publish({ vhost = session.defaultVhost, exchange = "", routing_key = "" }) {
  ask({
    title: exchange ? `Publish to ${exchange}` : "Publish",
    isWide: true,
    fields: [
      { name: "routing_key", label: "Routing key", value: routing_key, isWide: true },
      { name: "payload", label: "Payload", type: "textarea", rows: 6, isWide: true, keepsEmpty: true },
      {
        name: "payload_encoding",
        label: "Payload is",
        type: "select",
        options: [
          ["string", "text"],
          ["base64", "base64"],
        ],
        value: "string",
      },
      {
        name: "delivery_mode",
        label: "Delivery",
        type: "select",
        options: [
          ["2", "persistent"],
          ["1", "transient"],
        ],
        value: "2",
      },
      { name: "headers", label: "Headers, as JSON", type: "json", isWide: true, rows: 2, placeholder: '{"attempt": 1}' },
      { name: "content_type", label: "Content type", group: "Properties", placeholder: "application/json" },
      { name: "priority", label: "Priority", type: "number", min: 0, group: "Properties" },
      { name: "correlation_id", label: "Correlation id", group: "Properties" },
      { name: "message_id", label: "Message id", group: "Properties" },
      { name: "reply_to", label: "Reply to", group: "Properties" },
      { name: "expiration", label: "Expires after", hint: "Milliseconds", group: "Properties" },
      { name: "type", label: "Type", group: "Properties" },
      { name: "app_id", label: "Application", group: "Properties" },
    ],
    action: "Publish",
    run: async ({ routing_key: key, payload, payload_encoding, delivery_mode, ...properties }) => {
      const message = {
        routing_key: key ?? "",
        payload,
        payload_encoding,
        properties: { ...given(properties), delivery_mode: Number(delivery_mode) },
      };
      const { routed } = await call("POST", path`exchanges/${vhost}/${segmentOf(exchange)}/publish`, message);
      return routed ? "The message is published." : "No queue took the message: no binding matches its routing key.";
    },
  });
}
