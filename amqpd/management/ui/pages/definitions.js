// Definitions: everything that was declared, as a file, and back.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { reloadVhosts, session } from "../lib/session.js";
import { button } from "../parts/button.js";
import { ask } from "../parts/dialog.js";
import { renewVhosts } from "../parts/frame.js";
import { head } from "../parts/head.js";
import { adminTabs } from "./admin.js";

const EVERYTHING = "(everything)";

export const definitionsPage = {
  title: () => "Definitions",
  isStill: true,
  load: async () => ({}),
  view: (data, route) => [
    head("Definitions"),
    adminTabs(route),
    h(
      "div",
      { class: "columns" },
      h(
        "section",
        { class: "panel" },
        h("h2", {}, "Export"),
        h("p", {}, "All that was declared, users and permissions as a JSON file, without messages. RabbitMQ can read it, too."),
        button("Export", exportFile),
      ),
      h(
        "section",
        { class: "panel" },
        h("h2", {}, "Import"),
        h("p", {}, "Adds what a file of amqpd or RabbitMQ describes: all of it or nothing. What is there already stays."),
        button("Import", importFile),
      ),
    ),
  ],
};

function scope() {
  return { name: "vhost", label: "Of", type: "select", options: [EVERYTHING, ...session.vhosts], value: EVERYTHING };
}

function address(vhost) {
  return vhost === EVERYTHING ? "definitions" : path`definitions/${vhost}`;
}

function exportFile() {
  ask({
    title: "Export definitions",
    fields: [scope()],
    action: "Export",
    run: async ({ vhost }) => {
      const text = JSON.stringify(await get(address(vhost)), null, 2);
      save(text, `${session.broker}_${new Date().toISOString().slice(0, 10)}.json`);
      return "The file is in your downloads.";
    },
  });
}

function save(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function importFile() {
  ask({
    title: "Import definitions",
    fields: [
      { ...scope(), label: "Into" },
      { name: "file", label: "File", type: "file", accept: ".json,application/json", required: true, isWide: true },
    ],
    action: "Import",
    run: async ({ vhost, file }) => {
      const document = parsed(file);
      await call("POST", address(vhost), document);
      await reloadVhosts();
      renewVhosts();
      const parts = ["queue", "exchange", "binding"].map((noun) => plural(document[`${noun}s`]?.length ?? 0, noun));
      return `Imported ${parts.join(", ")}.`;
    },
  });
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw Object.assign(new Error("The file is not JSON."), { status: 400 });
  }
}
