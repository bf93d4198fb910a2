// Shows one page: loads its data, draws it, and does both again every few seconds while somebody looks.
//
// A page is an object: `title(route)`, `load(route, signal)` and `view(data, route)`; `isStill` if it is not loaded again by
// itself.

import { Unreachable } from "./api.js";
import { h, morph } from "./dom.js";
import { here } from "./router.js";
import { failure, loading } from "../parts/states.js";

const EVERY_MILLISECONDS = 5000;

let page = null;
let main = null;
let shownPath = null;
let data = null;
let timer = 0;
let running = new AbortController();
let onLoggedOut = () => {};

/** Draw into this element from now on; `loggedOut` is called when the session is over. */
export function setUp(element, loggedOut) {
  main = element;
  onLoggedOut = loggedOut;
  shownPath = null;
}

/** Show a page at the present address. */
export async function show(wanted) {
  const route = here();
  const isNew = shownPath !== route.path || page !== wanted;
  page = wanted;
  shownPath = route.path;
  document.title = `${page.title(route)} · amqpd`;
  if (isNew) {
    data = null;
    replace(loading());
    window.scrollTo(0, 0);
  }
  await refresh();
  if (isNew && shownPath === route.path) main.querySelector("h1")?.focus({ preventScroll: true });
}

/** Load and draw again, now; nothing if the address leads elsewhere already. */
export async function refresh() {
  stop();
  const route = here();
  if (route.path !== shownPath) return;
  const attempt = new AbortController();
  running = attempt;
  try {
    data = await page.load(route, attempt.signal);
    if (running !== attempt) return;
    setOffline(false);
    replace(page.view(data, route));
  } catch (error) {
    if (running !== attempt) return;
    fail(error);
  }
  if (!page.isStill) timer = setTimeout(again, EVERY_MILLISECONDS);
}

/** Load nothing more. */
export function stop() {
  clearTimeout(timer);
  running.abort();
}

function again() {
  if (document.hidden) timer = setTimeout(again, EVERY_MILLISECONDS);
  else refresh();
}

function fail(error) {
  if (error.isLoggedOut) onLoggedOut();
  else if (error instanceof Unreachable && data !== null) setOffline(true);
  else replace(failure(error, refresh));
}

function setOffline(isOffline) {
  document.body.classList.toggle("offline", isOffline);
}

function replace(content) {
  const fresh = h("div", { class: "page" }, content);
  if (main.firstElementChild) morph(main.firstElementChild, fresh);
  else main.append(fresh);
}
