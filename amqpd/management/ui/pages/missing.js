// An address that leads nowhere.

import { h } from "../lib/dom.js";
import { head } from "../parts/head.js";
import { empty } from "../parts/states.js";

export const missingPage = {
  title: () => "Nothing here",
  isStill: true,
  load: async () => ({}),
  view: () => [
    head("Nothing here"),
    empty("No such page", "The address leads nowhere.", h("a", { class: "button", href: "#/" }, "Go to the overview")),
  ],
};
