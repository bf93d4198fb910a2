"""Every route of the API: method, path, view, who may ask, what it does. The OpenAPI document is made of it."""

from __future__ import annotations

from typing import Final

from amqpd.management.routes import ADMINISTRATOR, ANYBODY, MANAGEMENT, MONITORING, Route, Routes
from amqpd.management.views import bindings, consumers, exchanges, overview, queues, sessions, vhosts

_QUEUE: Final = "/api/queues/{vhost}/{queue}"
_EXCHANGE: Final = "/api/exchanges/{vhost}/{exchange}"
_BETWEEN: Final = "/api/bindings/{vhost}/e/{source}/{kind}/{destination}"
_VHOST: Final = "/api/vhosts/{vhost}"

ROUTES: Final = Routes(
    (
        Route("GET", "/api/overview", overview.show_overview, MANAGEMENT, "The broker as a whole"),
        Route("GET", "/api/whoami", overview.show_user, MANAGEMENT, "Who is asking"),
        Route("GET", "/api/cluster-name", overview.show_cluster_name, MANAGEMENT, "The broker's name"),
        Route("PUT", "/api/cluster-name", overview.rename_cluster, ADMINISTRATOR, "Rename the broker", ("name",)),
        Route("GET", "/api/version", overview.show_version, MANAGEMENT, "The version that clients are told"),
        Route("GET", "/api/extensions", overview.list_extensions, MANAGEMENT, "Extensions of the web page"),
        Route("POST", "/api/rebalance/queues", overview.rebalance, ADMINISTRATOR, "Rebalance queue leaders"),
        Route("POST", "/api/login", sessions.log_in, ANYBODY, "Get a session token"),
        Route("DELETE", "/api/login", sessions.log_out, ANYBODY, "Drop a session token"),
        Route("GET", "/api/auth", sessions.show_auth, ANYBODY, "Ways to log in"),
        Route("GET", "/api/auth/attempts/{node}", sessions.count_attempts, MONITORING, "Count logins"),
        Route("DELETE", "/api/auth/attempts/{node}", sessions.forget_attempts, ADMINISTRATOR, "Reset their count"),
        Route("GET", "/api/vhosts", vhosts.list_vhosts, MANAGEMENT, "List virtual hosts"),
        Route("GET", _VHOST, vhosts.show_vhost, ADMINISTRATOR, "Show a virtual host"),
        Route("PUT", _VHOST, vhosts.save_vhost, ADMINISTRATOR, "Create or change a virtual host"),
        Route("DELETE", _VHOST, vhosts.delete_vhost, ADMINISTRATOR, "Delete a virtual host"),
        Route("POST", f"{_VHOST}/deletion/protection", vhosts.protect_vhost, ADMINISTRATOR, "Protect it from deletion"),
        Route("DELETE", f"{_VHOST}/deletion/protection", vhosts.unprotect_vhost, ADMINISTRATOR, "Lift the protection"),
        Route("POST", f"{_VHOST}/start/{{node}}", vhosts.start_vhost, ADMINISTRATOR, "Start a virtual host"),
        Route("GET", "/api/queues", queues.list_queues, MANAGEMENT, "List queues"),
        Route("GET", "/api/queues/detailed", queues.list_queues, MANAGEMENT, "List queues with all details"),
        Route("GET", "/api/queues/{vhost}", queues.list_queues, MANAGEMENT, "List a virtual host's queues"),
        Route("GET", _QUEUE, queues.show_queue, MANAGEMENT, "Show a queue"),
        Route("PUT", _QUEUE, queues.declare_queue, MANAGEMENT, "Declare a queue"),
        Route("DELETE", _QUEUE, queues.delete_queue, MANAGEMENT, "Delete a queue"),
        Route("GET", f"{_QUEUE}/bindings", queues.list_bindings, MANAGEMENT, "List a queue's bindings"),
        Route("DELETE", f"{_QUEUE}/contents", queues.purge_queue, MANAGEMENT, "Purge a queue"),
        Route("POST", f"{_QUEUE}/actions", queues.act, ADMINISTRATOR, "Synchronise a mirrored queue", ("action",)),
        Route("GET", "/api/exchanges", exchanges.list_exchanges, MANAGEMENT, "List exchanges"),
        Route("GET", "/api/exchanges/{vhost}", exchanges.list_exchanges, MANAGEMENT, "List a virtual host's exchanges"),
        Route("GET", _EXCHANGE, exchanges.show_exchange, MANAGEMENT, "Show an exchange"),
        Route("PUT", _EXCHANGE, exchanges.declare_exchange, MANAGEMENT, "Declare an exchange"),
        Route("DELETE", _EXCHANGE, exchanges.delete_exchange, MANAGEMENT, "Delete an exchange"),
        Route("GET", f"{_EXCHANGE}/bindings/source", exchanges.list_from, MANAGEMENT, "List bindings from it"),
        Route("GET", f"{_EXCHANGE}/bindings/destination", exchanges.list_to, MANAGEMENT, "List bindings to it"),
        Route("GET", "/api/bindings", bindings.list_bindings, MANAGEMENT, "List bindings"),
        Route("GET", "/api/bindings/{vhost}", bindings.list_bindings, MANAGEMENT, "List a virtual host's bindings"),
        Route("GET", _BETWEEN, bindings.list_between, MANAGEMENT, "List bindings between two ends"),
        Route("POST", _BETWEEN, bindings.bind, MANAGEMENT, "Bind"),
        Route("GET", f"{_BETWEEN}/{{properties}}", bindings.show_binding, MANAGEMENT, "Show a binding"),
        Route("DELETE", f"{_BETWEEN}/{{properties}}", bindings.unbind, MANAGEMENT, "Unbind"),
        Route("GET", "/api/consumers", consumers.list_consumers, MANAGEMENT, "List consumers"),
        Route("GET", "/api/consumers/{vhost}", consumers.list_consumers, MANAGEMENT, "List a virtual host's consumers"),
    )
)
