// Line icons on a grid of 20 by 20.

import { svg } from "../lib/dom.js";

const PATHS = {
  overview: "M3 12l4-5 4 4 6-7M3 17h14",
  connections: "M7 13l6-6M6 9l-2 2a3.5 3.5 0 005 5l2-2M14 11l2-2a3.5 3.5 0 00-5-5L9 6",
  channels: "M3 6h14M3 10h14M3 14h14M7 4v4M13 8v4M9 12v4",
  exchanges: "M3 6h11l-3-3M17 14H6l3 3",
  queues: "M3 5h14v10H3zM8 5v10M12.5 5v10",
  bindings:
    "M6 5a2 2 0 11-4 0 2 2 0 014 0zM18 5a2 2 0 11-4 0 2 2 0 014 0zM18 15a2 2 0 11-4 0 2 2 0 014 0zM6 5h8M6 6.500l8 7.500",
  admin: "M10 3l6 2.500v4.500c0 3.500-2.500 6-6 7.500-3.500-1.500-6-4-6-7.500V5.500zM7.500 10l2 2 3.500-4",
  theme: "M10 3a7 7 0 100 14zM10 3a7 7 0 010 14",
  keyboard: "M2.500 5.500h15v9h-15zM5.500 8.500h.01M8.500 8.500h.01M11.500 8.500h.01M14.500 8.500h.01M6.500 11.500h7",
  logout: "M8 4H4v12h4M8 10h9M14 7l3 3-3 3",
  menu: "M3 6h14M3 10h14M3 14h14",
  close: "M5 5l10 10M15 5L5 15",
  plus: "M10 4v12M4 10h12",
  search: "M13.500 13.500L17 17M15 9A6 6 0 113 9a6 6 0 0112 0z",
  empty: "M3 11l2.500-6h9L17 11v5H3zM3 11h4l1 2h4l1-2h4",
  warning: "M10 3.500L17.500 16h-15zM10 8v4M10 14h.01",
  previous: "M12 5l-5 5 5 5",
  next: "M8 5l5 5-5 5",
};

/** An icon; it says nothing to those who cannot see it, so a label stands beside it or on its button. */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}
