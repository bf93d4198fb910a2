// Line charts over time, drawn as SVG that stretches; words are HTML, so they do not.
//
// A series is an object: `label`, `colour` (1 to 6), `points` from the oldest on.

import { h, svg } from "../lib/dom.js";
import { hour, timeOfDay } from "../lib/format.js";
import { scale } from "./scale.js";

const WIDTH = 600;
const HEIGHT = 160;

/** A chart of several series; `format` puts a value in words. */
export function chart({ title, series, format, isOctets = false }) {
  const drawn = series.filter((one) => one.points.length > 1);
  const { top, marks } = scale(Math.max(0, ...drawn.flatMap((one) => one.points.map((point) => point.value))), isOctets);
  return h(
    "figure",
    { class: "chart panel" },
    h("figcaption", {}, h("h2", {}, title), legend(series, format)),
    drawn.length
      ? plot({ title, series: drawn, top, marks, format, isOctets })
      : h("p", { class: "waiting" }, "The first samples arrive within ten seconds."),
  );
}

function legend(series, format) {
  return h(
    "ul",
    { class: "legend" },
    series.map((one) =>
      h(
        "li",
        { class: `series-${one.colour}` },
        h("span", {}, one.label),
        h("strong", {}, format(one.now ?? one.points.at(-1)?.value ?? 0)),
      ),
    ),
  );
}

function plot({ title, series, top, marks, format, isOctets }) {
  const first = series[0].points[0].timestamp;
  const last = series[0].points.at(-1).timestamp;
  const x = (timestamp) => ((timestamp - first) / Math.max(last - first, 1)) * WIDTH;
  const y = (value) => HEIGHT - (value / top) * HEIGHT;
  const words = series.map((one) => `${one.label} ${format(one.points.at(-1).value)}`).join(", ");
  return h(
    "div",
    { class: isOctets ? "plot octets" : "plot" },
    h(
      "div",
      { class: "marks", "aria-hidden": "true" },
      marks.map((mark) => h("span", { style: { bottom: `${(mark / top) * 100}%` } }, format(mark))),
    ),
    h(
      "div",
      { class: "area", onpointermove: (event) => point(event, series, first, last, top, format), onpointerleave: unpoint },
      svg(
        "svg",
        { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": `${title}: ${words}` },
        marks.map((mark) => svg("path", { class: "grid", d: `M0 ${y(mark)}H${WIDTH}` })),
        series
          .slice(0, 1)
          .map((one) => svg("path", { class: `fill series-${one.colour}`, d: `${path(one, x, y)}V${HEIGHT}H0Z` })),
        series.map((one) => svg("path", { class: `line series-${one.colour}`, d: path(one, x, y) })),
      ),
      h("div", { class: "pointer", hidden: true }),
      h("div", { class: "tip", hidden: true }),
    ),
    h(
      "div",
      { class: "times", "aria-hidden": "true" },
      [first, (first + last) / 2, last].map((moment) => h("span", {}, hour(moment))),
    ),
  );
}

function path(one, x, y) {
  return one.points
    .map(({ timestamp, value }, position) => `${position ? "L" : "M"}${x(timestamp).toFixed(1)} ${y(value).toFixed(1)}`)
    .join("");
}

/** Show the values at the pointer. */
function point(event, series, first, last, top, format) {
  const area = event.currentTarget;
  const box = area.getBoundingClientRect();
  const moment = first + ((event.clientX - box.left) / box.width) * (last - first);
  const near = (one) =>
    one.points.reduce((best, candidate) =>
      Math.abs(candidate.timestamp - moment) < Math.abs(best.timestamp - moment) ? candidate : best,
    );
  const at = near(series[0]).timestamp;
  const share = (at - first) / Math.max(last - first, 1);
  const [pointer, tip] = area.querySelectorAll(".pointer, .tip");
  pointer.style.left = `${share * 100}%`;
  tip.style.left = `${share * 100}%`;
  tip.classList.toggle("flipped", share > 0.6);
  tip.replaceChildren(
    h("time", {}, timeOfDay(at)),
    ...series.map((one) =>
      h("div", { class: `series-${one.colour}` }, h("span", {}, one.label), h("strong", {}, format(near(one).value))),
    ),
  );
  pointer.hidden = tip.hidden = false;
}

function unpoint(event) {
  for (const element of event.currentTarget.querySelectorAll(".pointer, .tip")) element.hidden = true;
}
