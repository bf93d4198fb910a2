"""Lists of what the broker has, with rabbitmqctl's columns."""

import json
from typing import Any, Final, NamedTuple

from amqpd.ctl.command import Argument, Command, Invocation, Run
from amqpd.ctl.failure import USAGE, Failure
from amqpd.ctl.output import Row

Paths = dict[str, str]


class Listing(NamedTuple):
    """A list: where it comes from, and what its columns are."""

    path: tuple[str, ...]
    """Segments of the path; `{vhost}` and names of arguments in braces stand for what is given."""
    remark: str
    columns: tuple[str, ...]
    """Those that are shown unless others are asked for."""
    others: tuple[str, ...] = ()
    """Those that can be asked for, too."""
    members: Paths = {}  # noqa: RUF012 - a NamedTuple's default
    """Columns that the API calls otherwise: members of members are parted by points."""
    documents: tuple[str, ...] = ()
    """Columns that are written as JSON, also in tables."""


QUEUES: Final = Listing(
    ("queues", "{vhost}"),
    "Listing queues for vhost {vhost} ...",
    ("name", "messages"),
    (
        "durable", "auto_delete", "exclusive", "arguments", "policy", "operator_policy", "effective_policy_definition",
        "owner_pid", "exclusive_consumer_tag", "single_active_consumer_tag", "messages_ready", "messages_unacknowledged",
        "messages_ready_ram", "messages_unacknowledged_ram", "messages_ram", "messages_persistent", "messages_paged_out",
        "message_bytes", "message_bytes_ready", "message_bytes_unacknowledged", "message_bytes_ram",
        "message_bytes_persistent", "message_bytes_paged_out", "head_message_timestamp", "consumers",
        "consumer_utilisation", "consumer_capacity", "memory", "state", "type", "leader", "members", "online", "vhost",
        "node", "idle_since", "oldest_message_received_at", "publish_rate", "deliver_rate", "ack_rate",
    ),
    {
        "owner_pid": "owner_pid_details.name",
        "publish_rate": "message_stats.publish_details.rate",
        "deliver_rate": "message_stats.deliver_get_details.rate",
        "ack_rate": "message_stats.ack_details.rate",
    },
)  # fmt: skip
EXCHANGES: Final = Listing(
    ("exchanges", "{vhost}"),
    "Listing exchanges for vhost {vhost} ...",
    ("name", "type"),
    ("durable", "auto_delete", "internal", "arguments", "policy", "vhost"),
)
BINDINGS: Final = Listing(
    ("bindings", "{vhost}"),
    "Listing bindings for vhost {vhost} ...",
    ("source_name", "source_kind", "destination_name", "destination_kind", "routing_key", "arguments"),
    ("vhost", "properties_key"),
    {"source_name": "source", "destination_name": "destination", "destination_kind": "destination_type"},
)
CONNECTIONS: Final = Listing(
    ("connections",),
    "Listing connections ...",
    ("user", "peer_host", "peer_port", "state"),
    (
        "name", "pid", "port", "host", "ssl", "ssl_protocol", "ssl_cipher", "peer_cert_subject", "peer_cert_issuer",
        "peer_cert_validity", "channels", "protocol", "auth_mechanism", "vhost", "timeout", "frame_max", "channel_max",
        "client_properties", "connected_at", "recv_oct", "recv_cnt", "send_oct", "send_cnt", "send_pend", "node", "type",
        "user_provided_name",
    ),
    {"pid": "name"},
)  # fmt: skip
CHANNELS: Final = Listing(
    ("channels",),
    "Listing channels ...",
    ("pid", "user", "consumer_count", "messages_unacknowledged"),
    (
        "name", "number", "connection", "vhost", "node", "transactional", "confirm", "messages_uncommitted",
        "acks_uncommitted", "messages_unconfirmed", "prefetch_count", "global_prefetch_count", "state",
    ),
    {"pid": "name", "connection": "connection_details.name"},
)  # fmt: skip
CONSUMERS: Final = Listing(
    ("consumers", "{vhost}"),
    "Listing consumers in vhost {vhost} ...",
    (
        "queue_name", "channel_pid", "consumer_tag", "ack_required", "prefetch_count", "active", "activity_status",
        "arguments",
    ),
    ("exclusive", "user", "connection", "vhost"),
    {
        "queue_name": "queue.name",
        "channel_pid": "channel_details.name",
        "user": "channel_details.user",
        "connection": "channel_details.connection_name",
        "vhost": "queue.vhost",
    },
)  # fmt: skip
VHOSTS: Final = Listing(
    ("vhosts",),
    "Listing vhosts ...",
    ("name",),
    (
        "tracing", "description", "tags", "default_queue_type", "cluster_state", "messages", "messages_ready",
        "messages_unacknowledged", "protected_from_deletion",
    ),
)  # fmt: skip
USERS: Final = Listing(("users",), "Listing users ...", ("user", "tags"), ("limits",), {"user": "name"})
PERMISSIONS: Final = Listing(
    ("vhosts", "{vhost}", "permissions"),
    'Listing permissions for vhost "{vhost}" ...',
    ("user", "configure", "write", "read"),
)
PERMISSIONS_OF_USER: Final = Listing(
    ("users", "{username}", "permissions"),
    'Listing permissions for user "{username}" ...',
    ("vhost", "configure", "write", "read"),
)
TOPIC_PERMISSIONS: Final = Listing(
    ("vhosts", "{vhost}", "topic-permissions"),
    'Listing topic permissions for vhost "{vhost}" ...',
    ("user", "exchange", "write", "read"),
)
TOPIC_PERMISSIONS_OF_USER: Final = Listing(
    ("users", "{username}", "topic-permissions"),
    'Listing topic permissions for user "{username}" ...',
    ("vhost", "exchange", "write", "read"),
)
_POLICY: Final = ("vhost", "name", "pattern", "apply-to", "definition", "priority")
POLICIES: Final = Listing(
    ("policies", "{vhost}"), 'Listing policies for vhost "{vhost}" ...', _POLICY, documents=("definition",)
)
OPERATOR_POLICIES: Final = Listing(
    ("operator-policies", "{vhost}"),
    'Listing operator policy overrides for vhost "{vhost}" ...',
    _POLICY,
    documents=("definition",),
)
PARAMETERS: Final = Listing(
    ("parameters",),
    "Listing runtime parameters ...",
    ("component", "name", "value"),
    ("vhost",),
    documents=("value",),
)
GLOBAL_PARAMETERS: Final = Listing(
    ("global-parameters",), "Listing global runtime parameters ...", ("name", "value"), documents=("value",)
)
VHOST_LIMITS: Final = Listing(
    ("vhost-limits", "{vhost}"),
    'Listing limits for vhost "{vhost}" ...',
    ("vhost", "limits"),
    members={"limits": "value"},
    documents=("limits",),
)
USER_LIMITS: Final = Listing(
    ("user-limits",), "Listing limits of users ...", ("user", "limits"), members={"limits": "value"}, documents=("limits",)
)
FEATURE_FLAGS: Final = Listing(
    ("feature-flags",), "Listing feature flags ...", ("name", "state"), ("stability", "provided_by", "desc")
)
DEPRECATED_FEATURES: Final = Listing(
    ("deprecated-features",),
    "Listing deprecated features ...",
    ("name", "deprecation_phase"),
    ("provided_by", "desc", "doc_url"),
)


def show(invocation: Invocation, listing: Listing, wanted: list[str]) -> None:
    """Fetch and write a list. Raises Failure."""
    columns = wanted_columns(listing, wanted)
    given = Given(invocation)
    invocation.output.remark(listing.remark.format_map(given))
    items = invocation.api.get(*[segment.format_map(given) for segment in listing.path])
    write(invocation, listing, columns, items)


def write(invocation: Invocation, listing: Listing, columns: list[str], items: list[Row]) -> None:
    """Write what the columns show of the items."""
    rows = [{column: member(item, listing.members.get(column, column)) for column in columns} for item in items]
    if invocation.output.formatter != "json":
        for column in set(listing.documents).intersection(columns):
            for row in rows:
                row[column] = json.dumps(row[column], ensure_ascii=False, separators=(",", ":"))
    invocation.output.rows(columns, rows)


class Given(dict[str, Any]):
    """The virtual host and the arguments, as patterns want them."""

    def __init__(self, invocation: Invocation) -> None:
        super().__init__(vhost=invocation.vhost)
        self.invocation: Final = invocation

    def __missing__(self, name: str) -> Any:  # noqa: ANN401 - as the argument's shape says
        return self.invocation[name]


def wanted_columns(listing: Listing, wanted: list[str]) -> list[str]:
    """The columns to show. Raises Failure for one that there is not."""
    named = [column for argument in wanted for column in argument.replace(",", " ").split()]
    unknown = [column for column in named if column not in (*listing.columns, *listing.others)]
    if unknown:
        known = ", ".join(sorted((*listing.columns, *listing.others)))
        raise Failure(USAGE, f"there is no column {', '.join(unknown)}; there are: {known}")
    return named or list(listing.columns)


def member(item: object, path: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """What stands in an item at a path of names with points between them; None if nothing does."""
    for name in path.split("."):
        if not isinstance(item, dict):
            return None
        item = item.get(name)
    return item


def list_bindings(invocation: Invocation) -> None:
    """Every source is an exchange, which rabbitmqctl tells of each."""
    columns = wanted_columns(BINDINGS, invocation["column"])
    invocation.output.remark(BINDINGS.remark.format(vhost=invocation.vhost))
    items = [{**item, "source_kind": "exchange"} for item in invocation.api.get("bindings", invocation.vhost)]
    write(invocation, BINDINGS, columns, items)


def list_parameters(invocation: Invocation) -> None:
    """The parameters of one virtual host."""
    invocation.output.remark(f'Listing runtime parameters for vhost "{invocation.vhost}" ...')
    items = [item for item in invocation.api.get("parameters") if item["vhost"] == invocation.vhost]
    write(invocation, PARAMETERS, list(PARAMETERS.columns), items)


def list_user_limits(invocation: Invocation) -> None:
    """The limits of one user, or of all that have any."""
    user = invocation["user"]
    items = invocation.api.get("user-limits", *([user] if user else []))
    write(invocation, USER_LIMITS, list(USER_LIMITS.columns), items)


COLUMN: Final = Argument("column", "what to show of each", "*")
USERNAME: Final = Argument("username", "name of the user")


def _run(listing: Listing) -> Run:
    def run(invocation: Invocation) -> None:
        show(invocation, listing, invocation["column"] if listing.others else [])

    return run


def _command(name: str, help: str, listing: Listing, *arguments: Argument) -> Command:
    return Command(name, help, _run(listing), (*arguments, COLUMN) if listing.others else arguments)


COMMANDS: Final = (
    _command("list_queues", "list queues", QUEUES),
    _command("list_exchanges", "list exchanges", EXCHANGES),
    Command("list_bindings", "list bindings", list_bindings, (COLUMN,)),
    _command("list_connections", "list connections of clients", CONNECTIONS),
    _command("list_channels", "list channels", CHANNELS),
    _command("list_consumers", "list consumers", CONSUMERS),
    _command("list_vhosts", "list virtual hosts", VHOSTS),
    _command("list_users", "list users", USERS),
    _command("list_permissions", "list rights in a virtual host", PERMISSIONS),
    _command("list_user_permissions", "list rights of a user", PERMISSIONS_OF_USER, USERNAME),
    _command("list_topic_permissions", "list topic rights in a virtual host", TOPIC_PERMISSIONS),
    _command("list_user_topic_permissions", "list topic rights of a user", TOPIC_PERMISSIONS_OF_USER, USERNAME),
    _command("list_policies", "list policies", POLICIES),
    _command("list_operator_policies", "list operator policies", OPERATOR_POLICIES),
    Command("list_parameters", "list runtime parameters", list_parameters),
    _command("list_global_parameters", "list global runtime parameters", GLOBAL_PARAMETERS),
    _command("list_vhost_limits", "list limits of a virtual host", VHOST_LIMITS),
    Command("list_user_limits", "list limits of users", list_user_limits, (Argument("--user", "of this user only"),)),
    _command("list_feature_flags", "list feature flags", FEATURE_FLAGS),
    _command("list_deprecated_features", "list deprecated features", DEPRECATED_FEATURES),
)
