"""Docs and code say the same."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from helpers import options_page

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = ("amqpd", "exchanges", "persistence")
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "conformance").glob("*/*.md")])

LINK: Final = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")
CODE_BLOCK: Final = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)
WAY: Final = re.compile(r"^## 4\. .*?(?=^## )", re.MULTILINE | re.DOTALL)
DOTTED: Final = re.compile(r"\b([A-Za-z]\w+)\.([a-z_]\w+)\b(?!\.)")
UNDERSCORED: Final = re.compile(r"(?<![\w.])[a-z]+(?:_[a-z]+)+\b(?!\.)")
CLASS: Final = re.compile(r"`([A-Z][A-Za-z]+)`")
EVENT_OF_LOG: Final = {"log": 2, "_log": 1, "info": 0, "warning": 0, "error": 0, "critical": 0}
"""Functions that log → which of their arguments is the event."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there, and a heading in it if it names one."""
    text = CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))
    assert [] == [match[0] for match in LINK.finditer(text) if not leads_somewhere(page, match[1], match[2])]


def leads_somewhere(page: Path, target: str, anchor: str | None) -> bool:
    """Whether a link on a page has a file, and in it a heading, at its end."""
    found = page.parent / target if target else page
    return found.exists() and (anchor is None or anchor in anchors(found.read_text(encoding="utf-8")))


def anchors(text: str) -> set[str]:
    """What links to the headings of a page are called."""
    headings = HEADING.findall(CODE_BLOCK.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def trees() -> dict[str, ast.Module]:
    """The syntax of every module of the program, by path."""
    paths = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return {path.as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


@cache
def members() -> dict[str, set[str]]:
    """What each class has, from its bases too, and the functions of each module by its last name."""
    found: dict[str, set[str]] = {}
    bases: dict[str, list[str]] = {}
    for path, tree in trees().items():
        found.setdefault(Path(path).stem, set()).update(functions(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, set()).update(functions(node), attributes(node))
                bases[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
    return {name: set().union(*(found.get(each, set()) for each in ancestry(name, bases))) for name in found}


def functions(owner: ast.Module | ast.ClassDef) -> set[str]:
    """The names of the functions that a module or a class defines."""
    return {node.name for node in owner.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def attributes(owner: ast.ClassDef) -> set[str]:
    """The attributes that a class's methods set."""
    return {
        node.attr
        for node in ast.walk(owner)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name)
    }


def ancestry(name: str, bases: dict[str, list[str]]) -> Iterator[str]:
    """A class and all that it derives from."""
    yield name
    for base in bases.get(name, []):
        yield from ancestry(base, bases)


def way_of_a_message() -> str:
    """Section 4 of the architecture."""
    found = WAY.search((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert found is not None
    return found[0]


def test_functions_on_the_way_of_a_message_exist() -> None:
    """Whoever follows section 4 of the architecture finds each function under that name."""
    named = DOTTED.findall(way_of_a_message())
    assert len(named) > 40
    assert [] == [f"{owner}.{name}" for owner, name in named if name not in members().get(owner, set())]


def test_functions_named_without_their_class_exist() -> None:
    """So does each that stands there without its class."""
    everything = set().union(*members().values())
    assert [] == [name for name in UNDERSCORED.findall(way_of_a_message()) if name not in everything | set(members())]


def test_classes_on_the_way_of_a_message_exist() -> None:
    """So does each class that the text names."""
    named = CLASS.findall(way_of_a_message())
    assert named
    assert [] == [name for name in named if name not in members()]


def events() -> Iterator[str]:
    """The events that the program logs, but for those that it puts together."""
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
                index = EVENT_OF_LOG.get(name)
                if index is not None and len(node.args) > index:
                    event = node.args[index]
                    if isinstance(event, ast.Constant) and isinstance(event.value, str) and event.value != "%s":
                        yield event.value.removesuffix(": %s")


def test_log_events_are_explained() -> None:
    """An operator finds every event of the log in docs/operating.md."""
    explained = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    logged = sorted(set(events()))
    assert len(logged) > 15
    assert [] == [event for event in logged if f"| `{event}` |" not in explained]


def test_table_of_options_is_in_step() -> None:
    """Every option stands in docs/configuration.md as it is; tests/helpers/options_page.py writes the table."""
    assert options_page.table() == options_page.table_of(options_page.PAGE.read_text(encoding="utf-8"))
