// From numbers to places in a chart.

/** The largest mark of an axis and its marks: round numbers, about four of them. */
export function scale(largest, isOctets = false) {
  const base = isOctets ? 2 : 10;
  const rough = Math.max(largest, isOctets ? 1024 : 4) / 4;
  const power = base ** Math.floor(Math.log(rough) / Math.log(base));
  const factors = isOctets ? [1, 2] : [1, 2, 2.5, 5, 10];
  const step = power * factors.find((factor) => power * factor >= rough);
  const marks = [];
  for (let mark = 0; mark < largest + step && mark <= step * 4.5; mark += step) marks.push(mark);
  return { top: marks.at(-1), marks };
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
