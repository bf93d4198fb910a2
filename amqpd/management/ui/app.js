// The frame around all pages: log in, then navigation, and the page that the address names.

import { token } from "./lib/api.js";
import { h } from "./lib/dom.js";
import { listen } from "./lib/keys.js";
import { here } from "./lib/router.js";
import { forget, resume, session } from "./lib/session.js";
import { setUp, show, stop } from "./lib/stage.js";
import { applyTheme } from "./lib/theme.js";
import { frame, markPlace } from "./parts/frame.js";
import { failure } from "./parts/states.js";
import { bindingsPage } from "./pages/bindings.js";
import { channelPage } from "./pages/channel.js";
import { channelsPage } from "./pages/channels.js";
import { connectionPage } from "./pages/connection.js";
import { connectionsPage } from "./pages/connections.js";
import { definitionsPage } from "./pages/definitions.js";
import { exchangePage } from "./pages/exchange.js";
import { exchangesPage } from "./pages/exchanges.js";
import { limitsPage } from "./pages/limits.js";
import { loginForm } from "./pages/login.js";
import { missingPage } from "./pages/missing.js";
import { overviewPage } from "./pages/overview.js";
import { policiesPage } from "./pages/policies.js";
import { queuePage } from "./pages/queue.js";
import { queuesPage } from "./pages/queues.js";
import { userPage } from "./pages/user.js";
import { usersPage } from "./pages/users.js";
import { vhostsPage } from "./pages/vhosts.js";

const ADMIN = {
  users: usersPage,
  vhosts: vhostsPage,
  policies: policiesPage,
  limits: limitsPage,
  definitions: definitionsPage,
};

/** The page of an address. */
function pageOf([place = "", first, second]) {
  if (place === "") return overviewPage;
  if (place === "connections") return first === undefined ? connectionsPage : connectionPage;
  if (place === "channels") return first === undefined ? channelsPage : channelPage;
  if (place === "exchanges") return second === undefined ? exchangesPage : exchangePage;
  if (place === "queues") return second === undefined ? queuesPage : queuePage;
  if (place === "bindings") return bindingsPage;
  if (place === "admin")
    return first === "users" && second !== undefined ? userPage : (ADMIN[first ?? firstAdminPage()] ?? missingPage);
  return missingPage;
}

function firstAdminPage() {
  return session.administers ? "users" : "policies";
}

function showPage() {
  if (session.user === null) return;
  const { segments } = here();
  markPlace(segments[0] ?? "");
  show(pageOf(segments));
}

function showLogin() {
  stop();
  forget();
  document.querySelector("dialog")?.close();
  document.title = "Log in · amqpd";
  document.body.replaceChildren(loginForm(enter));
  document.querySelector("input").focus();
}

function enter() {
  const main = h("main", { id: "main" });
  document.body.replaceChildren(...frame(main, { loggedOut: showLogin, changed: showPage }));
  setUp(main, showLogin);
  showPage();
}

async function start() {
  applyTheme();
  listen();
  window.addEventListener("hashchange", showPage);
  window.addEventListener("storage", () => {
    if (!token.value && session.user !== null) showLogin();
  });
  if (!token.value) {
    showLogin();
    return;
  }
  try {
    await resume();
    enter();
  } catch (error) {
    if (error.status === 401) showLogin();
    else
      document.body.replaceChildren(
        h(
          "main",
          { class: "alone" },
          failure(error, () => location.reload()),
        ),
      );
  }
}

start();
