import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchanges.base import ArgumentError
from exchanges.registry import UnknownType, create, known_types, offered

BUILT_IN = ["direct", "fanout", "headers", "topic", "x-consistent-hash", "x-modulus-hash", "x-random"]

PLUGIN = """
from exchanges.base import Exchange

class Nowhere(Exchange):
    type = "x-nowhere"

    def match(self, routing_key, headers):
        return ()

nonsense = "no type"
"""

ENTRY_POINTS = """
[amqpd.exchanges]
x-nowhere = nowhere_exchange:Nowhere
x-missing = nowhere_exchange:Missing
x-absent = absent_exchange:Absent
x-nonsense = nowhere_exchange:nonsense
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed package that offers four exchange types, three of them broken."""
    (tmp_path / "nowhere_exchange.py").write_text(PLUGIN)
    installed = tmp_path / "nowhere_exchange-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: nowhere-exchange\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    offered.cache_clear()
    yield
    offered.cache_clear()


@pytest.mark.parametrize("type_name", BUILT_IN)
def test_built_in_types(type_name: str) -> None:
    """Each built-in type is made by its name and gets all properties."""
    exchange = create(type_name, "x", durable=True, auto_delete=True, internal=True, arguments={"a": 1})

    assert type_name == exchange.type
    assert (exchange.name, exchange.durable, exchange.auto_delete, exchange.internal) == ("x", True, True, True)
    assert exchange.arguments == {"a": 1}
    assert type_name in known_types()


@pytest.mark.parametrize(
    ("type_name", "text"), [("x-none", "unknown exchange type 'x-none'"), ("", "invalid exchange type ''")]
)
def test_unknown_type(type_name: str, text: str) -> None:
    """A type that nobody offers is refused in RabbitMQ's words."""
    with pytest.raises(UnknownType) as raised:
        create(type_name, "x")
    assert str(raised.value) == text
    assert raised.value.type_name == type_name


@pytest.mark.parametrize("type_name", [*BUILT_IN, "x-delayed-message", "x-local-random", "x-recent-history"])
def test_nothing_stays_of_an_exchange_that_is_gone(type_name: str) -> None:
    """No memory is lost with each one, in the compiled build neither."""
    create(type_name, "x", arguments={"x-delayed-type": "direct"})
    before = sys.getallocatedblocks()
    for _ in range(1000):
        create(type_name, "x", arguments={"x-delayed-type": "direct"})
    assert sys.getallocatedblocks() - before < 500


def test_arguments_are_checked() -> None:
    """What a type does not accept at its making comes through."""
    with pytest.raises(ArgumentError):
        create("x-consistent-hash", "x", arguments={"hash-property": "none"})


def test_installed_packages_are_looked_through_once() -> None:
    """Neither a client that asks for types that do not exist nor a page that lists all types reads files each time."""
    known_types()
    before = offered.cache_info().misses
    known_types()
    with pytest.raises(UnknownType):
        create("x-none", "x")
    assert before == offered.cache_info().misses


@pytest.mark.usefixtures("plugin")
def test_type_of_another_package() -> None:
    """An entry point makes its type known and usable."""
    assert "x-nowhere" in known_types()
    assert create("x-nowhere", "x").type == "x-nowhere"
    assert known_types() == sorted(set(known_types()))


@pytest.mark.usefixtures("plugin")
@pytest.mark.parametrize(
    ("type_name", "reason"),
    [
        ("x-missing", "nowhere_exchange:Missing does not load: AttributeError"),
        ("x-absent", "absent_exchange:Absent does not load: ModuleNotFoundError"),
        ("x-nonsense", "nowhere_exchange:nonsense is not an Exchange"),
    ],
)
def test_broken_type_of_another_package(type_name: str, reason: str) -> None:
    """A broken entry point is an unknown type whose text tells why, not a crash."""
    with pytest.raises(UnknownType) as raised:
        create(type_name, "x")
    assert str(raised.value).startswith(f"unknown exchange type '{type_name}': {reason}")
