from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from types import UnionType
from typing import get_args, get_origin

import pytest

from amqpd.config import Config, ConfigError, load
from amqpd.options import OPTIONS


def test_fields_are_the_rows_of_the_table() -> None:
    """Config has exactly the options of the table, in its order."""
    assert [option.name for option in OPTIONS] == [field.name for field in fields(Config)]


def test_defaults_have_the_types_of_the_fields() -> None:
    """What a row's parser returns is what the field of the same name promises."""
    config = load({}, {})
    promised = {field.name: field.type for field in fields(Config) if field.name != "config"}
    assert [] == [name for name, promise in promised.items() if not is_one_of(getattr(config, name), promise)]
    assert config.config is None


def is_one_of(value: object, promise: object) -> bool:
    """Whether a value is of a type, which may be a union or a container of others."""
    if get_origin(promise) is UnionType:
        return any(is_one_of(value, choice) for choice in get_args(promise))
    kind = get_origin(promise) or promise
    return isinstance(value, Path) if kind is Path else type(value) is kind


def test_defaults_are_those_of_rabbitmq() -> None:
    """Without configuration a client finds what it finds in RabbitMQ."""
    config = load({}, {})
    assert (5672, 2047, 131072, 60) == (config.port, config.channel_max, config.frame_max, config.heartbeat)
    assert ("guest", "guest", "/") == (config.default_user, config.default_password, config.default_vhost)
    assert 134217728 == config.max_message_size


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    """The nearer to the command a setting is made, the stronger it is."""
    file = tmp_path / "amqpd.toml"
    file.write_text('port = 1\nheartbeat = 1\nhost = "h1"\n')
    config = load({"config": str(file), "port": "3"}, {"AMQPD_PORT": "2", "AMQPD_HEARTBEAT": "2"})
    assert (3, 2, "h1", 2047) == (config.port, config.heartbeat, config.host, config.channel_max)


def test_flag_that_is_none_is_unset() -> None:
    """A flag that the command line lacks leaves the option to the weaker sources."""
    assert 2 == load({"port": None}, {"AMQPD_PORT": "2"}).port


def test_empty_variable_is_unset() -> None:
    """Container tools pass empty variables for settings that nobody made."""
    assert 5672 == load({}, {"AMQPD_PORT": ""}).port


def test_variables_of_rabbitmq_images_are_honoured() -> None:
    """Credentials may be given under the names that RabbitMQ's container image uses, the own names being stronger."""
    environ = {"RABBITMQ_DEFAULT_USER": "ann", "RABBITMQ_DEFAULT_PASS": "secret", "RABBITMQ_DEFAULT_VHOST": "shop"}
    config = load({}, environ)
    assert ("ann", "secret", "shop") == (config.default_user, config.default_password, config.default_vhost)
    assert "bob" == load({}, environ | {"AMQPD_DEFAULT_USER": "bob"}).default_user


def test_file_may_be_named_in_the_environment(tmp_path: Path) -> None:
    """AMQPD_CONFIG names the configuration file as --config does."""
    file = tmp_path / "amqpd.toml"
    file.write_text('memory-limit = "1GiB"\nhandshake-timeout = 2.5\n')
    config = load({}, {"AMQPD_CONFIG": str(file)})
    assert (file, 2**30, 2.5) == (config.config, config.memory_limit, config.handshake_timeout)


@pytest.mark.parametrize(
    ("flags", "environ", "text"),
    [
        ({"port": "70000"}, {}, "--port: must be a whole number between 0 and 65535, not '70000'"),
        ({}, {"AMQPD_PORT": "x"}, "AMQPD_PORT: must be a whole number between 0 and 65535, not 'x'"),
        ({"frame_max": "4095"}, {}, "--frame-max: must be a size between 4096 and 2147483647 bytes, not '4095'"),
        (
            {"max_message_size": "513MiB"},
            {},
            "--max-message-size: must be a size between 1 and 536870912 bytes, not '513MiB'",
        ),
        ({"log_format": "xml"}, {}, "--log-format: must be one of text, json, not 'xml'"),
        ({"host": ""}, {}, "--host: must not be empty, not ''"),
    ],
)
def test_error_names_the_source(flags: dict[str, str], environ: dict[str, str], text: str) -> None:
    """A wrong value is reported with where it stands, what is right there, and what stands there."""
    with pytest.raises(ConfigError) as caught:
        load(flags, environ)
    assert text == str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("prot = 5672", "there is no option 'prot'"),
        ("data_dir = '/'", "there is no option 'data_dir'"),
        ("config = 'other.toml'", "there is no option 'config'"),
        ("port = [1]", "port: must be a text or a number"),
        ("port = true", "port: must be a text or a number"),
        ("[log]\nlevel = 'info'", "there is no option 'log'"),
        ("port = ", "not a TOML file: "),
        ("port = -1", "port: must be a whole number between 0 and 65535, not '-1'"),
        ("# \udcff", "not a TOML file: "),
    ],
)
def test_error_names_the_file(tmp_path: Path, content: str, text: str) -> None:
    """Whatever is wrong in the file is reported in one line that begins with the file's path."""
    file = tmp_path / "amqpd.toml"
    file.write_text(content, errors="surrogateescape")
    with pytest.raises(ConfigError) as caught:
        load({"config": str(file)}, {})
    assert str(caught.value).startswith(f"{file}: {text}")
    assert "\n" not in str(caught.value)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    """A configuration file that was asked for must be there."""
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file or directory"):
        load({"config": str(tmp_path / "none.toml")}, {})


def test_config_is_frozen() -> None:
    """Nobody changes the configuration of a running broker behind the others' backs."""
    with pytest.raises(FrozenInstanceError):
        load({}, {}).port = 1  # type: ignore[misc]


def test_password_stays_out_of_the_representation() -> None:
    """Logging the configuration does not log the password."""
    assert "s3cret" not in repr(load({"default_password": "s3cret"}, {}))
