"""The layers of the program, read from the source of every file (see docs/architecture.md)."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("amqpd", "conformance", "exchanges", "persistence")

BOTTOM = ("amqpd.errors", "amqpd.message", "amqpd.wire")
SHELL = ("amqpd.config", "amqpd.listening", "amqpd.logs", "amqpd.shortage", "amqpd.version")
MAY_IMPORT = {
    "conformance": (),
    "exchanges": (),
    "persistence": (),
    "amqpd.errors": BOTTOM,
    "amqpd.message": BOTTOM,
    "amqpd.wire": BOTTOM,
    "amqpd.protocol": BOTTOM,
    "amqpd.broker": (*BOTTOM, "exchanges", "persistence"),
    "amqpd.server": (*BOTTOM, *SHELL, "amqpd.protocol", "amqpd.broker"),
    "amqpd.management": (*BOTTOM, *SHELL, "amqpd.options", "amqpd.broker", "exchanges", "persistence"),
    "amqpd.ctl": (),
    "amqpd.options": (),
    "amqpd.config": ("amqpd.options",),
    "amqpd.listening": ("amqpd.errors",),
    "amqpd.logs": (),
    "amqpd.shortage": ("amqpd.logs",),
    "amqpd.sockets": (),
    "amqpd.stopwatch": ("amqpd.broker", "amqpd.logs"),
    "amqpd.systemd": (),
    "amqpd.http_backend": (*BOTTOM, *SHELL, "amqpd.broker", "amqpd.server"),
    "amqpd.version": ("amqpd",),
    "amqpd.commits": (*BOTTOM, *SHELL, "amqpd.broker", "amqpd.server", "persistence"),
    "amqpd.service": (*SHELL, "amqpd.server", "persistence"),
    "amqpd.app": (
        *("amqpd.commits", "amqpd.service", "amqpd.sockets"),
        *(*BOTTOM, *SHELL, "amqpd.http_backend", "amqpd.stopwatch", "amqpd.systemd", "exchanges", "persistence"),
        *("amqpd.protocol", "amqpd.broker", "amqpd.server", "amqpd.management"),
    ),
    "amqpd.upkeep": ("persistence",),
    "amqpd.cli": (*SHELL, "amqpd.options", "amqpd.errors", "amqpd.app", "amqpd.upkeep", "persistence.store"),
    "amqpd.__main__": ("amqpd.cli",),
    "amqpd": (),
}
"""Layer → what it may import besides itself; a file belongs to the longest name that its own begins with."""

PURE = ("exchanges", *BOTTOM, "amqpd.protocol", "amqpd.broker")
SOCKETS = {"aiohttp", "asyncio", "http", "prometheus_client", "select", "signal", "socket", "ssl", "subprocess"}
DATABASES = {"aiosqlite", "lmdb", "sqlite3"}
MAY_NOT_IMPORT = {
    "exchanges": {*SOCKETS, *DATABASES, "logging", "threading"},
    "persistence": SOCKETS - {"asyncio"},
    **{layer: {*SOCKETS, *DATABASES, "logging", "random", "secrets"} for layer in (*BOTTOM, "amqpd.protocol")},
    "amqpd.broker": {*SOCKETS, *DATABASES, "random", "threading"},
    "amqpd.server": {*DATABASES, "aiohttp"},
    "amqpd.management": DATABASES,
    "amqpd.app": {*DATABASES, "aiohttp"},
    "amqpd.upkeep": {*SOCKETS, *DATABASES},
    "amqpd.cli": {*SOCKETS, *DATABASES},
}
"""Layer → libraries that are not its business."""

MAY_KNOW_ASYNCIO = (
    *("amqpd.app", "amqpd.commits", "amqpd.http_backend", "amqpd.management", "amqpd.server", "amqpd.sockets"),
    *("conformance", "persistence.committer", "persistence.writer", "persistence.definitions"),
)

CLOCKLESS = (*PURE, "persistence")
CLOCK_CALLS = {"now", "today", "utcnow"}

LONGEST_FILE = 400
LONGER_FILES: set[str] = set()
"""Files that may be longer, each with the reason."""


class Module:
    """One source file: its dotted name, its path from the root, its syntax tree."""

    def __init__(self, path: Path) -> None:
        self.path = path.relative_to(ROOT).as_posix()
        self.is_package = path.name == "__init__.py"
        self.name = ".".join((path.parent if self.is_package else path.with_suffix("")).relative_to(ROOT).parts)
        self.source = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.source)

    def imports(self) -> Iterator[str]:
        """The dotted names that it imports, wherever the statement stands: also in functions and under conditions."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from (f"{self.origin(node)}.{alias.name}" for alias in node.names)

    def origin(self, node: ast.ImportFrom) -> str:
        """The absolute name of the module that an import statement takes from."""
        if node.level == 0:
            return str(node.module)
        parents = self.name.split(".")
        parents = parents[: len(parents) - node.level + self.is_package]
        return ".".join([*parents, *([node.module] if node.module else [])])


@cache
def modules() -> dict[str, Module]:
    """Every module of the program by name."""
    found = [Module(path) for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {module.name: module for module in found}


def own_imports(module: Module) -> set[str]:
    """The modules of the program that it imports; `from a import b` counts as a.b if that is a module, else as a."""
    names = {name if name in modules() else name.rpartition(".")[0] for name in module.imports()}
    return {name for name in names if name.split(".")[0] in PACKAGES}


def is_in(name: str, layers: tuple[str, ...]) -> bool:
    """Whether a module is one of these or lies in one of them; `amqpd` stands for its `__init__` alone."""
    return any(name == layer or (layer != "amqpd" and name.startswith(layer + ".")) for layer in layers)


def layer_of(name: str) -> str:
    """The layer that a module belongs to."""
    return max((layer for layer in MAY_IMPORT if is_in(name, (layer,))), key=len, default="")


def within(*layers: str) -> list[Module]:
    """The modules of these layers."""
    return [module for module in modules().values() if is_in(module.name, layers)]


def offences(culprits: list[Module], libraries: set[str]) -> list[str]:
    """Where these modules import one of these libraries."""
    return [
        f"{module.name} imports {name}" for module in culprits for name in module.imports() if name.split(".")[0] in libraries
    ]


def test_every_module_belongs_to_a_layer() -> None:
    """A file outside the table has no rules, so there must be none."""
    assert [] == [name for name in modules() if not layer_of(name)]


def test_imports_point_down() -> None:
    """A module imports only its own layer and the layers that the table allows it."""
    assert [] == [
        f"{module.name} imports {name}"
        for module in modules().values()
        for name in sorted(own_imports(module))
        if not is_in(name, (layer_of(module.name), *MAY_IMPORT[layer_of(module.name)]))
    ]


def test_imports_make_no_cycle() -> None:
    """No module imports itself through others, also not for its types alone or inside a function."""
    graph = {module.name: own_imports(module) for module in modules().values()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("layer", MAY_NOT_IMPORT)
def test_layer_leaves_alone_what_is_not_its_business(layer: str) -> None:
    """Sockets, databases, logs and chance stay in the layers that are made for them."""
    assert [] == offences(within(layer), MAY_NOT_IMPORT[layer])


def test_asyncio_stays_in_the_shell() -> None:
    """Only the committer, the definitions, the servers and the composition root know the event loop."""
    strangers = [module for module in modules().values() if not is_in(module.name, MAY_KNOW_ASYNCIO)]
    assert [] == offences(strangers, {"asyncio"})


def test_pure_layers_read_no_clock() -> None:
    """Below the servers the present is an argument: nothing imports time or asks datetime for it."""
    asked = [
        f"{module.name}:{node.lineno} reads the clock"
        for module in within(*CLOCKLESS)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in CLOCK_CALLS
        and isinstance(node.value, ast.Name)
        and node.value.id in {"date", "datetime"}
    ]
    assert [] == offences(within(*CLOCKLESS), {"time"}) + asked


def test_files_are_short() -> None:
    """A file of 400 lines or more has two nouns in it."""
    paths = [path for package in (*PACKAGES, "tests") for path in (ROOT / package).rglob("*.py")]
    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert [] == [f"{path}: {n} lines" for path, n in lengths.items() if n >= LONGEST_FILE and path not in LONGER_FILES]


def test_what_is_public_has_a_contract() -> None:
    """Modules, and public classes, functions and methods in them, have a docstring; an override keeps its base's."""
    assert [] == [f"{module.path}:{where}" for module in modules().values() for where in undocumented(module.tree)]


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Line and name of each public definition without a docstring."""
    if ast.get_docstring(tree) is None:
        yield "1: module"
    for node in tree.body:
        yield from lacking(node)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not node.bases:
            for member in node.body:
                yield from lacking(member)


def lacking(node: ast.stmt) -> Iterator[str]:
    """Line and name of a definition that is public and has no docstring."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        is_setter = any(isinstance(decorator, ast.Attribute) for decorator in node.decorator_list)
        if not node.name.startswith("_") and not is_setter and ast.get_docstring(node) is None:
            yield f"{node.lineno}: {node.name}"
