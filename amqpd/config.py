"""The configuration: read once at start, frozen, and handed down to whoever needs it."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from amqpd.options import CONFIG, OPTIONS, Option

Settings: TypeAlias = dict[str, tuple[str, str]]
"""The settings of a file by option key: where each stands, and its text."""


class ConfigError(Exception):
    """The configuration cannot be used; the text says where it is wrong and what it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The value of each row of `amqpd.options.OPTIONS`; sizes are in bytes, durations in seconds."""

    config: Path | None
    host: str
    port: int
    proxy_protocol: bool
    tls_port: int | None
    tls_certificate: Path | None
    tls_key: Path | None
    tls_hosts: dict[str, Path]
    tls_ca: Path | None
    tls_verify: str
    tls_version: str
    tls_login_from: str
    tls_login_san_type: str
    tls_login_san_index: int
    data_dir: Path
    read_only: bool
    log_level: str
    log_format: str
    default_user: str
    default_password: str = field(repr=False)
    default_vhost: str
    mechanisms: tuple[str, ...]
    anonymous_user: str
    loopback_users: tuple[str, ...]
    auth_backends: tuple[str, ...]
    auth_http_method: str
    auth_http_user_path: str
    auth_http_vhost_path: str
    auth_http_resource_path: str
    auth_http_topic_path: str
    auth_http_timeout: float
    auth_http_cache: float
    connection_max: int
    channel_max_per_node: int
    consumer_max_per_node: int
    cluster_queue_limit: int
    cluster_exchange_limit: int
    cluster_binding_limit: int
    channel_max: int
    frame_max: int
    heartbeat: int
    handshake_timeout: float
    max_message_size: int
    memory_limit: int
    memory_high_watermark: float
    """Up to 1: a fraction of the memory that there is; above: bytes."""
    disk_free_limit: int
    load_definitions: str
    http_host: str
    http_port: str
    metrics_host: str
    metrics_port: str
    http_path_prefix: str
    http_tls_certificate: str
    http_tls_key: str
    http_origins: str
    http_body_limit: int
    watchdog: str
    product: str
    product_version: str


def load(flags: Mapping[str, str | None], environ: Mapping[str, str]) -> Config:
    """Gather the options: a flag beats the environment, which beats the file, which beats the default.

    `flags` is keyed by option name; a flag that is None and a variable that is empty are unset. Raises ConfigError.
    """
    file: Path | None = _value(CONFIG, flags, environ, {})
    settings = {} if file is None else _read(file)
    return Config(**{option.name: _value(option, flags, environ, settings) for option in OPTIONS})


def _read(file: Path) -> Settings:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:  # Not TOML, or not UTF-8.
        raise ConfigError(f"{file}: not a TOML file: {error}") from None
    known = {option.key for option in OPTIONS if option is not CONFIG}
    for key, value in content.items():
        if key not in known:
            raise ConfigError(f"{file}: there is no option {key!r}")
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ConfigError(f"{file}: {key}: must be a text or a number")
    return {key: (f"{file}: {key}", str(value)) for key, value in content.items()}


def _value(option: Option, flags: Mapping[str, str | None], environ: Mapping[str, str], settings: Settings) -> Any:  # noqa: ANN401  (each row has a type of its own)
    """The value of one option from the strongest of its sources."""
    source, text = _source(option, flags, environ, settings)
    try:
        return option.parse(text)
    except ValueError as error:
        raise ConfigError(f"{source}: {error}, not {text!r}") from None


def _source(option: Option, flags: Mapping[str, str | None], environ: Mapping[str, str], settings: Settings) -> tuple[str, str]:
    """Where an option's text comes from, and the text."""
    flag = flags.get(option.name)
    if flag is not None:
        return option.flag, flag
    for variable in option.variables:
        if environ.get(variable):
            return variable, environ[variable]
    if option.key in settings:
        return settings[option.key]
    return f"{option.flag} by default", option.default
