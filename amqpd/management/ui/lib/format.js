// Numbers, sizes and times as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const minute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];
export const NOTHING = "–";

/** 12,345 */
export function count(value) {
  return value === null || value === undefined ? NOTHING : whole.format(value);
}

/** 12.3K */
export function compact(value) {
  return value === null || value === undefined ? NOTHING : value < 10_000 ? fine.format(value) : short.format(value);
}

/** 1.2K/s; nothing for no rate at all. */
export function rate(value) {
  return value === null || value === undefined ? NOTHING : `${compact(value)}/s`;
}

/** 3.4 MiB */
export function bytes(value) {
  if (value === null || value === undefined) return NOTHING;
  const power = Math.min(Math.floor(Math.log2(Math.max(value, 1)) / 10), UNITS.length - 1);
  return `${fine.format(value / 1024 ** power)} ${UNITS[power]}`;
}

/** 3.4 MiB/s */
export function byteRate(value) {
  return value === null || value === undefined ? NOTHING : `${bytes(value)}/s`;
}

/** 2 d 3 h, from seconds. */
export function duration(seconds) {
  if (seconds === null || seconds === undefined) return NOTHING;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const parts = [
    ["d", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];
  const first = parts.findIndex(([, size]) => seconds >= size);
  let rest = seconds;
  return parts
    .slice(first, first + 2)
    .map(([unit, size]) => {
      const number = Math.floor(rest / size);
      rest -= number * size;
      return number ? `${number} ${unit}` : "";
    })
    .filter(Boolean)
    .join(" ");
}

/** Date and time of milliseconds since the epoch. */
export function time(milliseconds) {
  return milliseconds ? moment.format(milliseconds) : NOTHING;
}

/** Hour and minute. */
export function hour(milliseconds) {
  return minute.format(milliseconds);
}

/** Hour, minute and second. */
export function timeOfDay(milliseconds) {
  return clock.format(milliseconds);
}

/** A value of an argument table. */
export function value(given) {
  return typeof given === "object" && given !== null ? JSON.stringify(given) : String(given);
}

/** "1 message", "2 messages" */
export function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
