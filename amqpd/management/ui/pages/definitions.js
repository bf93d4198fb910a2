// Definitions: everything that was declared, as a file, and back.

import { call, get, path } from "../lib/api.js";
import { h } from "../lib/dom.js";
import { plural } from "../lib/format.js";
import { reloadVhosts, session } from "../lib/session.js";
import { ask } from "../parts/dialog.js";
import { renewVhosts } from "../parts/frame.js";
import { button, head } from "../parts/table.js";
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
      "div", { class: "columns" },
      h(
        "section", { class: "panel" }, h("h2", {}, "Export"),
        h("p", {}, "Users, virtual hosts, permissions, policies, queues, exchanges and bindings as a JSON file, without messages. RabbitMQ can read it, too."),
        button("Export", exportFile),
      ),
      h(
        "section", { class: "panel" }, h("h2", {}, "Import"),
        h("p", {}, "Adds what a file of amqpd or RabbitMQ 3.x and 4.x describes. Either all of it is carried out or nothing; what is there already stays."),
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
    fields: [{ ...scope(), label: "Into" }, { name: "file", label: "File", type: "file", accept: ".json,application/json", required: true, isWide: true }],
    action: "Import",
    run: async ({ vhost, file }) => {
      const document = parsed(file);
      await call("POST", address(vhost), document);
      await reloadVhosts();
      renewVhosts();
      return `Imported ${plural(document.queues?.length ?? 0, "queue")}, ${plural(document.exchanges?.length ?? 0, "exchange")}, ${plural(document.bindings?.length ?? 0, "binding")}.`;
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
