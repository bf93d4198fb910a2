// What waits and what flows, of the whole broker or of one queue: tiles and charts.

import { compact, rate } from "../lib/format.js";
import { chart } from "./chart.js";
import { points, rates } from "./scale.js";
import { tile } from "./tile.js";

/** Tiles of the numbers: `totals` are lengths, `stats` are counters. */
export function messageTiles(totals, stats) {
  return [
    tile("Ready", compact(totals.messages_ready), { colour: 1 }),
    tile("Unacked", compact(totals.messages_unacknowledged), { colour: 2 }),
    tile("Published", rate(stats.publish_details.rate), { colour: 3 }),
    tile("Delivered", rate(stats.deliver_get_details.rate), { colour: 4 }),
  ];
}

/** How many messages waited. */
export function lengthChart(totals) {
  return chart({
    title: "Queued messages",
    format: compact,
    series: [
      { label: "Ready", colour: 1, points: points(totals.messages_ready_details), now: totals.messages_ready },
      {
        label: "Unacknowledged",
        colour: 2,
        points: points(totals.messages_unacknowledged_details),
        now: totals.messages_unacknowledged,
      },
    ],
  });
}

/** How fast they came and went. */
export function rateChart(stats) {
  return chart({
    title: "Message rates",
    format: rate,
    series: [
      { label: "Published", colour: 3, points: rates(stats.publish_details) },
      { label: "Delivered", colour: 4, points: rates(stats.deliver_get_details) },
      { label: "Acknowledged", colour: 5, points: rates(stats.ack_details) },
      { label: "Redelivered", colour: 6, points: rates(stats.redeliver_details) },
    ],
  });
}
