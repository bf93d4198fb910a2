// From numbers to places in a chart.

const MARKS = 4;

/** The marks of an axis from zero to beyond the largest value: round numbers, about four of them. */
export function scale(largest, isOctets = false) {
  const base = isOctets ? 2 : 10;
  const rough = Math.max(largest / MARKS, isOctets ? 256 : 1);
  const power = base ** Math.floor(Math.log(rough) / Math.log(base) + 1e-9);
  const step = power * (isOctets ? [1, 2] : [1, 2, 2.5, 5, 10]).find((factor) => power * factor >= rough);
  const count = Math.max(Math.ceil(largest / step), 1);
  const marks = Array.from({ length: count + 1 }, (_, position) => position * step);
  return { top: count * step, marks };
}

/** Samples as the API gives them, newest first, as points from the oldest on. */
export function points(details) {
  return (details?.samples ?? []).map(({ timestamp, sample }) => ({ timestamp, value: sample })).reverse();
}

/** How fast a counter grew between its samples, in a second. */
export function rates(details) {
  const counted = points(details);
  return counted.slice(1).map(({ timestamp, value }, position) => {
    const before = counted[position];
    return { timestamp, value: Math.max(0, (value - before.value) / ((timestamp - before.timestamp) / 1000)) };
  });
}
