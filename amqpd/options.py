"""Every option of amqpd, one row each.

A row's name gives all its spellings: `data_dir` is `--data-dir` on the command line, `AMQPD_DATA_DIR` in the
environment, `data-dir` in the configuration file, and `Config.data_dir` in the program.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

LARGEST_MESSAGE: Final = 512 * 1024 * 1024
"""Bytes that no message body may exceed, whatever the configuration says."""

MECHANISMS: Final = ("PLAIN", "AMQPLAIN", "EXTERNAL", "ANONYMOUS")
LOGIN_FROM: Final = ("distinguished_name", "common_name", "subject_alternative_name")

SIZE: Final = re.compile(r"(\d{1,18}) ?([KMGT]?)(I?)B?", re.IGNORECASE | re.ASCII)


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """A parser of whole numbers in a closed range."""

    def parse(text: str) -> int:
        if re.fullmatch(r"\d{1,18}", text, re.ASCII) is None or not minimum <= int(text) <= maximum:
            raise ValueError(f"must be a whole number between {minimum} and {maximum}")
        return int(text)

    return parse


def size(minimum: int = 0, maximum: int = 2**60) -> Callable[[str], int]:
    """A parser of sizes in bytes: `4096`, `64MiB` (powers of 1024), `50MB` (powers of 1000)."""

    def parse(text: str) -> int:
        match = SIZE.fullmatch(text)
        if match is None:
            raise ValueError("must be a size such as 4096, 50MB or 64MiB")
        number, unit, binary = match.groups()
        value: int = int(number) * (1024 if binary else 1000) ** " KMGT".index(unit.upper() or " ")
        if not minimum <= value <= maximum:
            raise ValueError(f"must be a size between {minimum} and {maximum} bytes")
        return value

    return parse


def port_or(*words: str) -> Callable[[str], str]:
    """A parser of port numbers that accepts a few words, too; the number stays a text."""
    number = integer(0, 65535)

    def parse(text: str) -> str:
        if text in words:
            return text
        try:
            return str(number(text))
        except ValueError as error:
            raise ValueError(f"{error}, or one of {', '.join(words)}") from None

    return parse


def fraction_or_size(text: str) -> float:
    """Parse a fraction such as 0.6, which has a point, or a size in bytes."""
    if re.fullmatch(r"[01]\.\d{1,9}", text, re.ASCII) is None:
        return size()(text)
    if float(text) > 1:
        raise ValueError("must be a fraction up to 1.0 or a size such as 2GiB")
    return float(text)


def seconds(text: str) -> float:
    """Parse a positive duration in seconds, fractions allowed."""
    if re.fullmatch(r"\d{1,9}(\.\d+)?", text, re.ASCII) is None or float(text) == 0:
        raise ValueError("must be a positive number of seconds")
    return float(text)


def choice(*choices: str) -> Callable[[str], str]:
    """A parser that accepts a few words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}")
        return text

    return parse


def prefix(text: str) -> str:
    """Parse a beginning of URL paths: nothing, or `/` and a name, as often as wanted."""
    if re.fullmatch(r"(/[\w.~-]+)*/?", text, re.ASCII) is None:
        raise ValueError("must be a path such as /broker")
    return text.rstrip("/")


def any_text(text: str) -> str:
    """Parse any text."""
    return text


def nonempty(value: str) -> str:
    """Parse any text but an empty one."""
    if not value:
        raise ValueError("must not be empty")
    return value


def path(value: str) -> Path:
    """Parse a path; a leading `~` is the home folder."""
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError("begins with ~, but there is no home folder") from None


def optional_integer(minimum: int, maximum: int) -> Callable[[str], int | None]:
    """A parser of whole numbers in a closed range, or of nothing at all."""
    parse_integer = integer(minimum, maximum)

    def parse(text: str) -> int | None:
        return parse_integer(text) if text else None

    return parse


def switch(text: str) -> bool:
    """Parse `on` or `off`, or the texts `true` and `false`."""
    if text.lower() not in {"on", "off", "true", "false"}:
        raise ValueError("must be on or off")
    return text.lower() in {"on", "true"}


def words(*choices: str) -> Callable[[str], tuple[str, ...]]:
    """A parser of words between commas or spaces, of these choices if there are any."""

    def parse(text: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(text.replace(",", " ").split()))
        if choices and not (found and set(found) <= set(choices)):
            raise ValueError(f"must be some of {', '.join(choices)}")
        return found

    return parse


def host_files(text: str) -> dict[str, Path]:
    """Parse `NAME=FILE` pairs between commas."""
    found = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        name, equals, file = pair.partition("=")
        if not (name and equals and file):
            raise ValueError("must be NAME=FILE, separated by commas")
        found[name.lower()] = path(file)
    return found


def http_url(text: str) -> str:
    """Parse the URL of an HTTP service, or nothing at all."""
    if text and re.fullmatch(r"https?://[^/\s]+\S*", text) is None:
        raise ValueError("must be a URL that begins with http:// or https://")
    return text


def optional_path(value: str) -> Path | None:
    """Parse a path, or nothing at all."""
    return path(value) if value else None


class Option(NamedTuple):
    """One option; `parse` turns its text into its value or raises ValueError saying what it must be."""

    name: str
    parse: Callable[[str], Any]
    default: str
    help: str
    other_variable: str | None = None
    """A second environment variable, honoured when the first is unset."""

    @property
    def flag(self) -> str:
        """How the command line spells it."""
        return "--" + self.key

    @property
    def key(self) -> str:
        """How the configuration file spells it."""
        return self.name.replace("_", "-")

    @property
    def variables(self) -> list[str]:
        """The environment variables that set it, the strongest first."""
        own = "AMQPD_" + self.name.upper()
        return [own] if self.other_variable is None else [own, self.other_variable]


CONFIG: Final = Option("config", optional_path, "", "configuration file (TOML)")

OPTIONS: Final = (
    CONFIG,
    Option("host", nonempty, "127.0.0.1", "address to listen on"),
    Option("port", integer(0, 65535), "5672", "port to listen on; 0 takes a free one"),
    Option("proxy_protocol", switch, "off", "clients come through a proxy that sends the PROXY header: on or off"),
    Option("tls_port", optional_integer(0, 65535), "", "port to listen on with TLS; 0 takes a free one"),
    Option("tls_certificate", optional_path, "", "PEM file of the server's certificate and those that lead to its root"),
    Option("tls_key", optional_path, "", "PEM file of its key, if it is not in the same file"),
    Option("tls_hosts", host_files, "", "other certificates by server name: NAME=FILE (with its key), separated by commas"),
    Option("tls_ca", optional_path, "", "PEM file of the authorities that sign client certificates"),
    Option("tls_verify", choice("none", "peer", "require"), "none", "client certificates: none, peer (verify) or require"),
    Option("tls_version", choice("1.2", "1.3"), "1.2", "oldest version of TLS"),
    Option("tls_login_from", choice(*LOGIN_FROM), LOGIN_FROM[0], "where a client certificate has the user's name"),
    Option("tls_login_san_type", choice("dns", "ip", "email", "uri"), "dns", "which subject alternative names count"),
    Option("tls_login_san_index", integer(0, 1000), "0", "which of them is the user's name, the first being 0"),
    Option("data_dir", path, "~/.local/share/amqpd", "folder for everything that must survive a restart"),
    Option("read_only", switch, "off", "show what the data folder holds, and change nothing in it: on or off"),
    Option("log_level", choice("debug", "info", "warning", "error"), "info", "least severe messages to log"),
    Option("log_format", choice("text", "json"), "text", "how log lines are written: text or json"),
    Option("default_user", nonempty, "guest", "administrator created in an empty data folder", "RABBITMQ_DEFAULT_USER"),
    Option("default_password", nonempty, "guest", "the default user's password", "RABBITMQ_DEFAULT_PASS"),
    Option("default_vhost", nonempty, "/", "virtual host created in an empty data folder", "RABBITMQ_DEFAULT_VHOST"),
    Option("mechanisms", words(*MECHANISMS), "PLAIN AMQPLAIN", "how clients may log in: " + ", ".join(MECHANISMS)),
    Option("anonymous_user", nonempty, "guest", "the user that ANONYMOUS logs in"),
    Option("loopback_users", words(), "guest", "users who may only log in from this machine; none for nobody"),
    Option("auth_backends", words("internal", "http"), "internal", "who knows users, in this order: internal, http"),
    Option("auth_http_method", choice("get", "post"), "get", "how the HTTP backend is asked"),
    Option("auth_http_user_path", http_url, "", "URL that is asked whether a user may log in"),
    Option("auth_http_vhost_path", http_url, "", "URL that is asked about virtual hosts"),
    Option("auth_http_resource_path", http_url, "", "URL that is asked about queues and exchanges"),
    Option("auth_http_topic_path", http_url, "", "URL that is asked about routing keys"),
    Option("auth_http_timeout", seconds, "15", "seconds that an answer may take"),
    Option("auth_http_cache", seconds, "60", "seconds that its permissions are remembered"),
    Option("connection_max", integer(0, 10**9), "0", "open connections at most; 0 for no limit"),
    Option("channel_max_per_node", integer(0, 10**9), "500000", "open channels at most; 0 for no limit"),
    Option("consumer_max_per_node", integer(0, 10**9), "500000", "consumers at most; 0 for no limit"),
    Option("cluster_queue_limit", integer(0, 10**9), "250000", "queues at most; 0 for no limit"),
    Option("cluster_exchange_limit", integer(0, 10**9), "250000", "exchanges at most; 0 for no limit"),
    Option("cluster_binding_limit", integer(0, 10**9), "1000000", "bindings at most; 0 for no limit"),
    Option("channel_max", integer(1, 65535), "2047", "channels that a connection may open"),
    Option("frame_max", size(4096, 2**31 - 1), "131072", "largest frame in bytes"),
    Option("heartbeat", integer(0, 65535), "60", "seconds between heartbeats suggested to clients; 0 for none"),
    Option("handshake_timeout", seconds, "10", "seconds that a client may take to log in"),
    Option("max_message_size", size(1, LARGEST_MESSAGE), "128MiB", "largest message body"),
    Option("memory_limit", size(), "256MiB", "message bodies kept in memory before transient messages spill to disk"),
    Option(
        "memory_high_watermark",
        fraction_or_size,
        "0.6",
        "memory above which publishers are blocked: a fraction of what there is, or a size",
    ),
    Option("disk_free_limit", size(), "50MB", "free disk space below which publishers are blocked"),
    Option("load_definitions", any_text, "", "definitions (JSON, as RabbitMQ exports them) to import at every start"),
    Option("http_host", any_text, "", "address that the management listens on; like host if empty"),
    Option(
        "http_port",
        port_or("auto", "none"),
        "auto",
        "port of the management; auto: 15672 beside port 5672, else a free one; none: no management",
    ),
    Option("metrics_host", any_text, "", "address that Prometheus metrics are served on; like http-host if empty"),
    Option(
        "metrics_port",
        port_or("auto", "none"),
        "auto",
        "port of Prometheus metrics; auto: 15692 beside port 5672, else a free one; none: no metrics",
    ),
    Option("http_path_prefix", prefix, "", "path below which the management is served, such as /broker"),
    Option("http_tls_certificate", any_text, "", "file with the certificate chain (PEM) to serve the management over TLS"),
    Option("http_tls_key", any_text, "", "file with the certificate's private key (PEM)"),
    Option("http_origins", any_text, "", "other sites, separated by commas, whose pages may use the API; * for all"),
    Option(
        "http_body_limit",
        size(1),
        "20MB",
        "largest body of an HTTP request: definitions, or a message; others are limited further",
    ),
    Option("watchdog", choice("on", "off"), "on", "log what the broker is doing whenever it does not answer for a while"),
    Option("product", nonempty, "RabbitMQ", "product name told to clients, some of which look for RabbitMQ"),
    Option("product_version", nonempty, "3.13.7", "version of that product told to clients"),
)
