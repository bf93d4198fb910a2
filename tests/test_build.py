import ast
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import amqpd
import exchanges
import persistence
from amqpd.version import is_compiled

CHECKOUT = Path(__file__).parents[1]
EXPECTED = os.environ.get("AMQPD_EXPECT")


@pytest.mark.skipif(EXPECTED is None, reason="AMQPD_EXPECT does not say which build this is")
def test_tested_build_is_the_expected_one() -> None:
    """A run that claims to test the compiled modules (or the interpreted ones) does."""
    assert EXPECTED == ("compiled" if is_compiled() else "interpreted")


@pytest.mark.skipif(EXPECTED != "compiled", reason="only the compiled build is installed apart from the checkout")
@pytest.mark.parametrize("package", [amqpd, exchanges, persistence])
def test_compiled_run_imports_nothing_from_the_checkout(package: ModuleType) -> None:
    """The compiled build is tested as installed, not the sources that lie next to the tests."""
    assert CHECKOUT / package.__name__ != Path(str(package.__file__)).parent


class Initializer:
    """What a class's `__init__` assigns to its attributes, and of which bases."""

    def __init__(self, node: ast.ClassDef) -> None:
        self.bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
        self.values: dict[str, ast.expr | None] = {}
        self.calls_base = False
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                self.calls_base = "super().__init__(" in ast.unparse(method)
                self.values |= dict(assignments(method))

    def overwritten(self, base: "Initializer") -> list[str]:
        """The attributes of a base that hold an object by the time when this assigns another one."""
        if not self.calls_base:
            return []
        return [name for name in self.values if not isinstance(base.values.get(name, ast.Constant(None)), ast.Constant)]


def assignments(method: ast.FunctionDef) -> Iterator[tuple[str, ast.expr | None]]:
    """Attributes of self, and what they get."""
    for node in ast.walk(method):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and ast.unparse(target.value) == "self":
                yield target.attr, node.value  # type: ignore[attr-defined]


def test_no_init_overwrites_an_object_of_its_base() -> None:
    """Compiled code takes the assignment for the first one and never frees what was there: a leak for each instance."""
    sources = [path for package in (amqpd, exchanges, persistence) for path in (CHECKOUT / package.__name__).rglob("*.py")]
    found = {
        node.name: Initializer(node)
        for path in sources
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    assert {"Presence", "ConnectionInfo"} <= found.keys()
    overwritten = {name: each.overwritten(found[base]) for name, each in found.items() for base in each.bases if base in found}
    assert [] == [name for name, attributes in overwritten.items() if attributes]
