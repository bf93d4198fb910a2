// What surrounds every page: navigation, the choice of a virtual host, who is logged in.

import { h } from "../lib/dom.js";
import { showHelp } from "../lib/keys.js";
import { logOut, session } from "../lib/session.js";
import { toggleTheme } from "../lib/theme.js";
import { icon } from "./icons.js";

const PLACES = [
  ["", "Overview", "overview"],
  ["connections", "Connections", "connections"],
  ["channels", "Channels", "channels"],
  ["exchanges", "Exchanges", "exchanges"],
  ["queues", "Queues", "queues"],
  ["bindings", "Bindings", "bindings"],
  ["admin", "Admin", "admin"],
];

/** The elements of the body around `main`; `loggedOut()` after logging out, `changed()` after another virtual host. */
export function frame(main, { loggedOut, changed }) {
  return [
    h("a", { class: "skip", href: "#main", onclick: skip }, "Skip to the content"),
    h("aside", { class: "side" }, brand(), navigation(), foot(loggedOut)),
    h(
      "header",
      { class: "top" },
      h(
        "button",
        { type: "button", class: "quiet square menu", "aria-label": "Menu", "aria-expanded": "false", onclick: toggleMenu },
        icon("menu"),
      ),
      h("strong", { class: "broker", title: "Name of the broker" }, session.broker),
      h("span", { class: "lost", role: "status" }, "No answer, trying again…"),
      vhostChoice(changed),
    ),
    main,
  ];
}

/** Mark the place in the navigation, and close it where it covers the page. */
export function markPlace(place) {
  for (const link of document.querySelectorAll(".side nav a")) {
    if (link.dataset.place === place) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  setMenu(false);
}

function brand() {
  return h("a", { class: "brand", href: "#/" }, h("img", { src: "icon.svg", alt: "", width: "28", height: "28" }), "amqpd");
}

function navigation() {
  const places = PLACES.filter(([place]) => place !== "admin" || session.makesPolicies);
  return h(
    "nav",
    { "aria-label": "Main" },
    places.map(([place, label, name]) => h("a", { href: `#/${place}`, "data-place": place }, icon(name), label)),
  );
}

function foot(loggedOut) {
  const small = (label, name, onclick) =>
    h("button", { type: "button", class: "quiet square", "aria-label": label, title: label, onclick }, icon(name));
  return h(
    "div",
    { class: "foot" },
    h(
      "div",
      { class: "who" },
      h("span", { class: "initial", "aria-hidden": "true" }, session.user.slice(0, 1)),
      h("span", {}, h("strong", {}, session.user), h("small", {}, session.tags.join(", "))),
    ),
    h(
      "div",
      { class: "tools" },
      small("Switch between dark and light", "theme", toggleTheme),
      small("Keyboard shortcuts", "keyboard", showHelp),
      small("Log out", "logout", () => logOut().finally(loggedOut)),
    ),
  );
}

function vhostChoice(changed) {
  return h(
    "label",
    { class: "vhost" },
    h("span", {}, "Virtual host"),
    h(
      "select",
      {
        onchange: (event) => {
          session.vhost = event.target.value;
          changed();
        },
      },
      vhostOptions(),
    ),
  );
}

function vhostOptions() {
  return [["", "All"], ...session.vhosts.map((name) => [name, name])].map(([value, label]) =>
    h("option", { value, selected: value === session.vhost }, label),
  );
}

/** Offer the virtual hosts that there are now. */
export function renewVhosts() {
  document.querySelector(".vhost select").replaceChildren(...vhostOptions());
}

function toggleMenu() {
  setMenu(!document.body.classList.contains("menu-open"));
}

function setMenu(isOpen) {
  document.body.classList.toggle("menu-open", isOpen);
  document.querySelector(".menu")?.setAttribute("aria-expanded", String(isOpen));
}

function skip(event) {
  event.preventDefault();
  document.querySelector("main h1")?.focus();
}
