// Line charts over time, drawn as SVG that stretches; words are HTML, so they do not.
//
// A series is an object: `label`, `colour` (1 to 6), `points` from the oldest on.

import { h, svg } from "../lib/dom.js";
import { hour, timeOfDay } from "../lib/format.js";
import { scale } from "./scale.js";

const WIDTH = 600;
const HEIGHT = 160;

export const RANGES = [["600", "10 min"], ["3600", "1 h"], ["28800", "8 h"]];
const STEPS = { 600: 5, 3600: 30, 28800: 240 };

/** The query that asks the API for samples of the families (lengths, msg_rates, data_rates) over the address's range. */
export function sampled(route, ...families) {
  const age = STEPS[route.get("range")] ? route.get("range") : "600";
  return Object.fromEntries(families.flatMap((family) => [[`${family}_age`, age], [`${family}_incr`, STEPS[age]]]));
}

/** Links that choose the range of all charts on the page. */
export function ranges(route, offered = RANGES) {
  const chosen = route.get("range", "600");
  return h("nav", { class: "segments", "aria-label": "Time range" }, offered.map(([seconds, label]) => h(
    "a", { href: route.with({ range: seconds === "600" ? "" : seconds }), "aria-current": seconds === chosen ? "true" : null }, label,
  )));
}

/** A chart of several series; `format` puts a value in words. */
export function chart({ title, series, format, isOctets = false }) {
  const drawn = series.filter((one) => one.points.length > 1);
  const { top, marks } = scale(Math.max(0, ...drawn.flatMap((one) => one.points.map((point) => point.value))), isOctets);
  return h(
    "figure", { class: "chart panel" },
    h("figcaption", {}, h("h2", {}, title), legend(series, format)),
    drawn.length ? plot({ title, series: drawn, top, marks, format, isOctets }) : h("p", { class: "waiting" }, "The first samples arrive within ten seconds."),
  );
}

function legend(series, format) {
  return h("ul", { class: "legend" }, series.map((one) => h(
    "li", { class: `series-${one.colour}` }, h("span", {}, one.label), h("strong", {}, format(one.now ?? one.points.at(-1)?.value ?? 0)),
  )));
}

function plot({ title, series, top, marks, format, isOctets }) {
  const first = series[0].points[0].timestamp;
  const last = series[0].points.at(-1).timestamp;
  const x = (timestamp) => ((timestamp - first) / Math.max(last - first, 1)) * WIDTH;
  const y = (value) => HEIGHT - (value / top) * HEIGHT;
  const words = series.map((one) => `${one.label} ${format(one.points.at(-1).value)}`).join(", ");
  return h(
    "div", { class: isOctets ? "plot octets" : "plot" },
    h("div", { class: "marks", "aria-hidden": "true" }, marks.map((mark) => h("span", { style: { bottom: `${(mark / top) * 100}%` } }, format(mark)))),
    h(
      "div", { class: "area", onpointermove: (event) => point(event, series, first, last, top, format), onpointerleave: unpoint },
      svg(
        "svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${words}` },
        marks.map((mark) => svg("path", { class: "grid", d: `M0 ${y(mark)}H${WIDTH}` })),
        series.slice(0, 1).map((one) => svg("path", { class: `fill series-${one.colour}`, d: `${path(one, x, y)}V${HEIGHT}H0Z` })),
        series.map((one) => svg("path", { class: `line series-${one.colour}`, d: path(one, x, y) })),
      ),
      h("div", { class: "pointer", hidden: true }),
      h("div", { class: "tip", hidden: true }),
    ),
    h("div", { class: "times", "aria-hidden": "true" }, [first, (first + last) / 2, last].map((moment) => h("span", {}, hour(moment)))),
  );
}

function path(one, x, y) {
  return one.points.map(({ timestamp, value }, position) => `${position ? "L" : "M"}${x(timestamp).toFixed(1)} ${y(value).toFixed(1)}`).join("");
}

/** Show the values at the pointer. */
function point(event, series, first, last, top, format) {
  const area = event.currentTarget;
  const box = area.getBoundingClientRect();
  const moment = first + ((event.clientX - box.left) / box.width) * (last - first);
  const near = (one) => one.points.reduce((best, candidate) => (Math.abs(candidate.timestamp - moment) < Math.abs(best.timestamp - moment) ? candidate : best));
  const at = near(series[0]).timestamp;
  const share = (at - first) / Math.max(last - first, 1);
  const [pointer, tip] = area.querySelectorAll(".pointer, .tip");
  pointer.style.left = `${share * 100}%`;
  tip.style.left = `${share * 100}%`;
  tip.classList.toggle("flipped", share > 0.6);
  tip.replaceChildren(
    h("time", {}, timeOfDay(at)),
    ...series.map((one) => h("div", { class: `series-${one.colour}` }, h("span", {}, one.label), h("strong", {}, format(near(one).value)))),
  );
  pointer.hidden = tip.hidden = false;
}

function unpoint(event) {
  for (const element of event.currentTarget.querySelectorAll(".pointer, .tip")) element.hidden = true;
}

/** A number in large type; a link if it leads somewhere. */
export function tile(label, value, { address = null, colour = null } = {}) {
  const inside = [h("span", { class: "label" }, label), h("strong", {}, value)];
  const kind = `tile ${colour ? `series-${colour}` : ""}`.trim();
  return address ? h("a", { class: kind, href: address }, inside) : h("div", { class: kind }, inside);
}

/** How much of something limited is used. */
export function meter(label, used, limit, words, isBad = false) {
  const share = limit ? Math.min(used / limit, 1) : 0;
  return h(
    "div", { class: isBad ? "meter bad" : "meter" },
    h("div", {}, h("span", {}, label), h("span", {}, words)),
    h("div", { class: "bar", role: "meter", "aria-label": label, "aria-valuenow": Math.round(share * 100), "aria-valuemin": "0", "aria-valuemax": "100" }, h("div", { style: { width: `${share * 100}%` } })),
  );
}
