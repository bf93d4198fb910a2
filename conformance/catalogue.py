"""The catalogue: cases are functions with an id, a title, a reference, a level and needs, registered by decorators."""

import enum
import importlib
from collections.abc import Callable, Iterable
from typing import Any, Final


class Level(enum.Enum):
    """How binding a rule is; only a failed MUST makes the suite fail."""

    MUST = "must"
    SHOULD = "should"
    EXTENSION = "rabbitmq-extension"
    BEYOND = "beyond"


MUST: Final = Level.MUST
SHOULD: Final = Level.SHOULD
EXTENSION: Final = Level.EXTENSION
BEYOND: Final = Level.BEYOND
# What a case may need besides a broker at a URL; each is a flag of the command line.
NEEDS: Final = frozenset({"management", "restart", "kill", "alarm", "tls"})

Body = Callable[..., Any]


class Case:
    """One rule and the code that proves it."""

    def __init__(self, id: str, title: str, reference: str, level: Level, body: Body, area: "Area") -> None:
        self.id = id
        self.title = title
        self.reference = reference
        self.level = level
        self.body = body
        self.area = area
        self.arguments: tuple[Any, ...] = ()
        self.needs: frozenset[str] = frozenset()
        self.deviations: dict[str, str] = {}

    def deviation_of(self, broker: str) -> str | None:
        """The recorded deviation of a broker such as `RabbitMQ 3.10.8`, if there is one."""
        return next((why for name, why in self.deviations.items() if broker.startswith(name)), None)


class Area:
    """A group of cases about one part of the protocol."""

    def __init__(self, name: str, title: str, needs: Iterable[str] = ()) -> None:
        self.name = name
        self.title = title
        self.needs = frozenset(needs)
        self.cases: list[Case] = []
        AREAS[name] = self

    def case(
        self,
        id: str,
        title: str,
        reference: str,
        level: Level = MUST,
        needs: Iterable[str] = (),
        deviations: dict[str, str] | None = None,
    ) -> Callable[[Body], Body]:
        """Registers the decorated function as one case; raises ValueError for an unknown need."""

        def register(body: Body) -> Body:
            self._add(id, title, reference, level, body, (), needs, deviations)
            return body

        return register

    def table(
        self,
        id: str,
        title: str,
        reference: str,
        rows: Iterable[tuple[Any, ...]],
        level: Level = MUST,
        needs: Iterable[str] = (),
        deviations: dict[str, dict[str, str]] | None = None,
    ) -> Callable[[Body], Body]:
        """Registers one case a row: the row's first value completes id and title, the others go to the function.

        `deviations` gives for a row's first value (or `*`, any other row) what `case` takes for one case.
        """

        def register(body: Body) -> Body:
            for name, *arguments in rows:
                deviation = (deviations or {}).get(name, (deviations or {}).get("*"))
                shown = title.format(name, *arguments)
                self._add(f"{id}.{slug(name)}", shown, reference, level, body, tuple(arguments), needs, deviation)
            return body

        return register

    def _add(
        self,
        id: str,
        title: str,
        reference: str,
        level: Level,
        body: Body,
        arguments: tuple[Any, ...],
        needs: Iterable[str],
        deviations: dict[str, str] | None,
    ) -> None:
        case = Case(id, title, reference, level, body, self)
        case.arguments = arguments
        case.needs = self.needs | frozenset(needs)
        case.deviations = deviations or {}
        if unknown := case.needs - NEEDS:
            raise ValueError(f"{id} needs {sorted(unknown)}, which nothing provides")
        if id in _IDS:
            raise ValueError(f"two cases are called {id}")
        _IDS.add(id)
        self.cases.append(case)


AREAS: Final[dict[str, Area]] = {}
_IDS: Final[set[str]] = set()


def slug(words: str) -> str:
    """Words as a part of an id."""
    return words.replace(" ", "-")


def load() -> list[Case]:
    """Imports the modules of conformance.cases and returns all cases in the order of their areas."""
    package = importlib.import_module("conformance.cases")
    for module in package.MODULES:
        importlib.import_module(f"conformance.cases.{module}")
    return [case for area in AREAS.values() for case in area.cases]
