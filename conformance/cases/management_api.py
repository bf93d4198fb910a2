"""The management API as a whole: logging in, status codes, paging, sorting, columns, overview and health."""

from typing import Any, Final

from conformance.broker import Broker
from conformance.catalogue import EXTENSION, Area
from conformance.management import path
from conformance.mismatch import equal, require

api = Area("management-api", "Management API: conventions", ["management"])

SPEC = "RabbitMQ: HTTP API"


def must_have(found: Any, *keys: str) -> None:
    """Raises Mismatch unless an object has all these keys."""
    missing = [key for key in keys if key not in found]
    require(
        isinstance(found, dict) and not missing,
        f"the keys {missing}",
        sorted(found) if isinstance(found, dict) else found,
    )


# Authentication


@api.case("http.auth.none", "Without credentials the answer is 401 with WWW-Authenticate", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    response = broker.http.raw("GET", "/api/overview", None, {})
    equal("status", 401, response.status)
    require("basic" in response.headers.get("www-authenticate", "").lower(), "WWW-Authenticate: Basic", response.headers)


@api.case("http.auth.wrong", "With a wrong password the answer is 401 with error not_authorised", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    response = broker.http.must(401, "GET", "/api/overview", user=(broker.target.amqp.user, "wrong"))
    require(response.json["error"] in ("not_authorised", "not_authorized"), "not_authorised", response.text)


@api.case("http.auth.no-tag", "A user without a management tag gets 401", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    broker.http.must(401, "GET", "/api/overview", user=broker.new_user())


@api.table(
    "http.auth.level",
    "{1} for a user tagged {2} is answered with {3}",
    SPEC,
    [
        (f"{tag} {target}", target, tag, status)
        for target, allowed in (
            ("/api/whoami", ("management", "monitoring", "policymaker")),
            ("/api/overview", ("management", "monitoring", "policymaker")),
            ("/api/nodes", ("monitoring",)),
            ("/api/users", ()),
            ("/api/permissions", ()),
            ("/api/definitions", ()),
        )
        for tag in ("management", "monitoring", "policymaker")
        for status in (200 if tag in allowed else 401,)
    ],
    EXTENSION,
)
def _(broker: Broker, target: str, tag: str, status: int) -> None:
    user = broker.new_user(tag, configure=".*", write=".*", read=".*")
    broker.http.must(status, "GET", target, user=user)


@api.case("http.auth.vhosts-visible", "A management user sees only virtual hosts with permissions", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    vhost = broker.new_vhost()
    user = broker.new_user("management", vhost=vhost, read=".*")
    equal("virtual hosts", [vhost], [found["name"] for found in broker.http.get("vhosts", user=user)])


@api.case(
    "http.auth.vhost-refused",
    "A management user without permissions for a virtual host gets 401 about it",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    user = broker.new_user("management", vhost=broker.new_vhost(), read=".*")
    broker.http.must(401, "GET", path("queues", broker.vhost), user=user)


@api.case("http.whoami", "whoami tells name and tags", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    user = broker.new_user("management")
    found = broker.http.get("whoami", user=user)
    equal("whoami", (user[0], ["management"]), (found["name"], found["tags"]))


# Conventions


@api.table(
    "http.missing",
    "{} that does not exist is answered with 404",
    SPEC,
    [
        ("A queue", ("queues", "V", "N")),
        ("An exchange", ("exchanges", "V", "N")),
        ("A virtual host", ("vhosts", "N")),
        ("A user", ("users", "N")),
        ("A policy", ("policies", "V", "N")),
        ("A connection", ("connections", "N")),
        ("A channel", ("channels", "N")),
        ("The queues of a virtual host", ("queues", "N")),
        ("A permission", ("permissions", "V", "N")),
        ("A parameter", ("parameters", "N", "V", "N")),
        ("A global parameter", ("global-parameters", "N")),
        ("A page", ("no-such-page",)),
    ],
    EXTENSION,
)
def _(broker: Broker, segments: tuple[str, ...]) -> None:
    name = broker.name()
    real = [{"V": broker.vhost, "N": name}.get(segment, segment) for segment in segments]
    broker.http.must(404, "GET", path(*real))


@api.table(
    "http.delete-missing",
    "Deleting {} that does not exist is answered with 404",
    SPEC,
    [
        ("a queue", ("queues", "V", "N")),
        ("an exchange", ("exchanges", "V", "N")),
        ("a virtual host", ("vhosts", "N")),
        ("a user", ("users", "N")),
        ("a policy", ("policies", "V", "N")),
    ],
    EXTENSION,
)
def _(broker: Broker, segments: tuple[str, ...]) -> None:
    real = [{"V": broker.vhost, "N": broker.name()}.get(segment, segment) for segment in segments]
    broker.http.must(404, "DELETE", path(*real))


@api.case("http.method", "A method that a path does not know is answered with 405", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    broker.http.must(405, "PUT", "/api/overview", {})


@api.case("http.trailing-slash", "A trailing slash makes no difference", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    broker.http.must(200, "GET", "/api/vhosts/")


@api.case("http.content-type", "Answers are application/json", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    response = broker.http.must(200, "GET", "/api/overview")
    require(response.headers["content-type"].startswith("application/json"), "application/json", response.headers)


@api.case("http.not-json", "A body that is no JSON is answered with 400", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    response = broker.http.must(400, "PUT", path("queues", broker.vhost, broker.name()), "{not json")
    equal("error", "bad_request", response.json["error"])


@api.case("http.head", "HEAD is answered like GET, without a body", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    equal("body", "", broker.http.must(200, "HEAD", "/api/vhosts").text)


@api.case("http.default-exchange", "The default exchange is called amq.default in paths", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    found = broker.http.get("exchanges", broker.vhost, "amq.default")
    equal("exchange", ("", "direct"), (found["name"], found["type"]))


@api.case("http.columns", "columns reduces objects to those keys", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    found = broker.http.get("exchanges", broker.vhost, query="?columns=name,type")
    require(all(set(item) == {"name", "type"} for item in found), "only name and type", found[0])


@api.table("http.sort", "Lists can be sorted {}", SPEC, [("forward", False), ("backward", True)], EXTENSION)
def _(broker: Broker, reverse: bool) -> None:
    query = f"?sort=name&sort_reverse={'true' if reverse else 'false'}&columns=name"
    found = [item["name"] for item in broker.http.get("exchanges", broker.vhost, query=query)]
    equal("order", sorted(found, reverse=reverse), found)


def paged(broker: Broker, count: int) -> str:
    """Declares this many exchanges with a word of their own in the name, and returns the word."""
    word, channel = broker.name("page"), broker.channel()
    for n in range(count):
        channel.exchange("fanout", f"{word}.{n}")
    return word


@api.case("http.page", "page and page_size cut a list, and counts are told", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    word = paged(broker, 5)
    found = broker.http.get("exchanges", broker.vhost, query=f"?page=2&page_size=2&name={word}&use_regex=false")
    facts = {key: found.get(key) for key in ("page", "page_size", "page_count", "filtered_count", "item_count")}
    expected = {"page": 2, "page_size": 2, "page_count": 3, "filtered_count": 5, "item_count": 2}
    equal("page", expected, facts)
    equal("items", 2, len(found["items"]))


@api.case("http.page.regex", "use_regex makes name a regular expression", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    word = paged(broker, 4)
    query = (
        f"?page=1&page_size=100&use_regex=true&name={word}.[12]$".replace("$", "%24").replace("[", "%5B").replace("]", "%5D")
    )
    found = broker.http.get("exchanges", broker.vhost, query=query)
    equal("names", {f"{word}.1", f"{word}.2"}, {item["name"] for item in found["items"]})


@api.table(
    "http.page.invalid",
    "{} is answered with 400",
    SPEC,
    [
        ("page 0", "page=0&page_size=10"),
        ("page_size 501", "page=1&page_size=501"),
        ("page abc", "page=abc&page_size=10"),
        ("page 9999", "page=9999&page_size=10"),
    ],
    EXTENSION,
)
def _(broker: Broker, query: str) -> None:
    broker.http.must(400, "GET", path("exchanges", broker.vhost) + "?" + query)


# Overview, nodes, health

OVERVIEW: Final = [
    "management_version",
    "rabbitmq_version",
    "cluster_name",
    "node",
    "listeners",
    "contexts",
    "exchange_types",
    "object_totals",
    "queue_totals",
    "message_stats",
    "churn_rates",
    "rates_mode",
    "product_name",
    "product_version",
    "statistics_db_event_queue",
    "erlang_version",
]


@api.table("http.overview", "The overview has {}", SPEC, [(key, key) for key in OVERVIEW], EXTENSION)
def _(broker: Broker, key: str) -> None:
    must_have(broker.http.get("overview"), key)


@api.case(
    "http.overview.totals",
    "object_totals counts connections, channels, exchanges, queues and consumers",
    SPEC,
    EXTENSION,
)
def _(broker: Broker) -> None:
    totals = broker.http.get("overview")["object_totals"]
    must_have(totals, "connections", "channels", "exchanges", "queues", "consumers")


NODE: Final = [
    "name",
    "running",
    "type",
    "mem_used",
    "mem_limit",
    "mem_alarm",
    "disk_free",
    "disk_free_limit",
    "disk_free_alarm",
    "fd_used",
    "fd_total",
    "sockets_used",
    "sockets_total",
    "proc_used",
    "proc_total",
    "uptime",
    "processors",
    "exchange_types",
    "auth_mechanisms",
    "applications",
]


@api.table("http.node", "A node has {}", SPEC, [(key, key) for key in NODE], EXTENSION)
def _(broker: Broker, key: str) -> None:
    nodes = broker.http.get("nodes")
    must_have(broker.http.get("nodes", nodes[0]["name"]), key)


@api.table(
    "http.health",
    "The health check {} is answered with 200 and status ok",
    SPEC,
    [
        (name, name)
        for name in ("alarms", "local-alarms", "virtual-hosts", "node-is-quorum-critical", "protocol-listener/amqp091")
    ],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    equal("status", "ok", broker.http.must(200, "GET", f"/api/health/checks/{name}").json["status"])


@api.case("http.health.port", "The health check of the AMQP port is answered with ok", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    target = f"/api/health/checks/port-listener/{broker.target.amqp.port}"
    equal("status", "ok", broker.http.must(200, "GET", target).json["status"])


@api.table(
    "http.health.failed",
    "The health check {} is answered with 503 and status failed",
    SPEC,
    [("port-listener/1", "port-listener/1"), ("protocol-listener/gopher", "protocol-listener/gopher")],
    EXTENSION,
)
def _(broker: Broker, name: str) -> None:
    equal("status", "failed", broker.http.must(503, "GET", f"/api/health/checks/{name}").json["status"])


@api.case("http.aliveness", "aliveness-test is answered with ok", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    equal("status", "ok", broker.http.get("aliveness-test", broker.vhost)["status"])


@api.case("http.cluster-name", "cluster-name tells the name of connection.start", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    connection = broker.connect()
    equal("name", connection.server.get("cluster_name"), broker.http.get("cluster-name")["name"])


@api.case("http.extensions", "extensions is a list", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    require(isinstance(broker.http.get("extensions"), list), "a list")


@api.case("http.feature-flags", "feature-flags is a list of objects with name and state", SPEC, EXTENSION)
def _(broker: Broker) -> None:
    for flag in broker.http.get("feature-flags"):
        must_have(flag, "name", "state")
