// Calls of the HTTP API, each with the session's token.

const ROOT = new URL("api/", document.baseURI);
const TOKEN = "amqpd.token";

/** What the broker refused, in its own words. */
class Refused extends Error {
  constructor(status, error, reason) {
    super(reason);
    this.status = status;
    this.error = error;
  }

  /** True if the session is over, as opposed to a right that the user lacks. */
  get isLoggedOut() {
    return this.status === 401 && this.error === "not_authorized";
  }
}

/** The broker did not answer at all. */
export class Unreachable extends Error {
  constructor() {
    super("The broker does not answer.");
  }
}

/** A path with its values percent-encoded: path`queues/${vhost}/${name}`. */
export function path(texts, ...values) {
  return texts.reduce((whole, text, position) => whole + segment(values[position - 1]) + text);
}

/** A segment of a path; `.` and `..`, which the browser would resolve, stand behind a line feed. */
function segment(value) {
  return value === "." || value === ".." ? `%0A${value}` : encodeURIComponent(value);
}

export const token = {
  get value() {
    return localStorage.getItem(TOKEN);
  },
  set value(given) {
    if (given) localStorage.setItem(TOKEN, given);
    else localStorage.removeItem(TOKEN);
  },
};

/** The JSON at a path; query members that are empty are left out. Throws Refused, Unreachable. */
export function get(path, query = {}, signal = undefined) {
  const url = new URL(path, ROOT);
  for (const [name, value] of Object.entries(query)) {
    if (value !== "" && value !== null && value !== undefined && value !== false) url.searchParams.set(name, value);
  }
  return send("GET", url, undefined, { signal });
}

/** Change something; returns what was answered, if anything was. Throws Refused, Unreachable. */
export function call(method, path, body = undefined, headers = {}) {
  return send(method, new URL(path, ROOT), body === undefined ? undefined : JSON.stringify(body), { headers });
}

async function send(method, url, body, { headers = {}, signal = undefined }) {
  const sent = new Headers(headers);
  if (token.value) sent.set("Authorization", `Bearer ${token.value}`);
  else sent.set("Authorization", "Bearer none"); // no credentials at all would open the browser's own dialog
  if (body !== undefined) sent.set("Content-Type", "application/json");
  let response;
  try {
    response = await fetch(url, { method, body, headers: sent, signal, credentials: "omit", cache: "no-store" });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Unreachable();
  }
  const text = await response.text();
  if (!response.ok) throw refusal(response.status, text);
  return text ? JSON.parse(text) : null;
}

function refusal(status, text) {
  try {
    const { error, reason } = JSON.parse(text);
    return new Refused(status, error, typeof reason === "string" ? reason : JSON.stringify(reason));
  } catch {
    return new Refused(status, "", `The broker answered with status ${status}.`);
  }
}
