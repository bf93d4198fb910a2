"""Lists as clients ask for them: `page`, `page_size`, `name`, `use_regex`, `sort`, `sort_reverse`, `columns`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

from amqpd.broker.expression import Expression
from amqpd.management.encoding import Encoded, encode
from amqpd.management.refusal import Refusal, bad_request
from amqpd.management.slices import mapped, ordered

Shape = dict[str, object]
T = TypeVar("T")

Ranks = Mapping[str, Callable[[T], object]]
"""Values to sort by, by column."""

PAGE_SIZE: Final = 100
PAGE_SIZE_MAX: Final = 500
PATTERN_MAX: Final = 1000
"""Characters of a regular expression to filter names by."""


class Wish:
    """What a request's query asks of a list. Raises Refusal if it makes no sense."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self.sort: Final = query.get("sort", "")
        self.reverse: Final = query.get("sort_reverse", "") == "true"
        self.columns: Final = [column.split(".") for column in query.get("columns", "").split(",") if column]
        self.page: Final = _number(query, "page", 0)
        self.page_size: Final = _number(query, "page_size", PAGE_SIZE)
        self.is_paged: Final = "page" in query
        self.name: Final = query.get("name", "")
        self.matches: Final = _matcher(self.name, query.get("use_regex", "") == "true")
        if self.is_paged and not (self.page > 0 and 0 < self.page_size <= PAGE_SIZE_MAX):
            raise Refusal(
                400, "invalid_pagination_parameters",
                f"Invalid pagination parameters: page number {self.page}, page size {self.page_size}",
            )  # fmt: skip

    def is_plain(self) -> bool:
        """True if the whole list is wanted as it is."""
        return not (self.is_paged or self.sort or self.columns)

    def is_within(self, columns: frozenset[str]) -> bool:
        """True if nothing but some of these columns is wanted and sorted by."""
        wanted = [".".join(path) for path in self.columns]
        return bool(wanted) and columns.issuperset([*wanted, *(column for column in self.sort.split(",") if column)])

    async def answer(
        self, items: Sequence[T], name_of: Callable[[T], str], shape: Callable[[T], Shape], ranks: Ranks[T] | None = None
    ) -> object:
        """The list, or one page of it; an item is given its shape only where that is needed.

        Ranks give the values to sort by without a shape. Others may go on between slices of the list, of which no more shapes
        than a page's are kept at once: collecting garbage would look through all of them.
        """
        total = len(items)
        kept = list(items)
        if self.is_paged and self.name:
            fits = await mapped(kept, lambda item: self.matches(name_of(item)))
            kept = [item for item, is_wanted in zip(kept, fits, strict=True) if is_wanted]
        known = {"name": name_of, **(ranks or {})}
        columns = [column for column in self.sort.split(",") if column]
        if columns and all(column in known for column in columns):
            kept = await ordered(kept, lambda item: [_rank(known[column](item)) for column in columns], self.reverse)
        elif columns:
            kept = await ordered(kept, lambda item: self._place(shape(item)), self.reverse)
        if not self.is_paged:
            return Encoded(await mapped(kept, lambda item: encode(self.cut_one(shape(item)))))
        return self._paged(total, await mapped(self._window(kept), lambda item: self.cut_one(shape(item))), len(kept))

    def _window(self, kept: list[T]) -> list[T]:
        start = (self.page - 1) * self.page_size
        if start and start >= len(kept):
            raise Refusal(
                400, "page_out_of_range",
                f"Page out of range, page: {self.page} page size: {self.page_size}, len: {len(kept)}",
            )  # fmt: skip
        return kept[start : start + self.page_size]

    def _paged(self, total: int, shapes: list[Shape], filtered: int) -> Shape:
        return {
            "filtered_count": filtered,
            "item_count": len(shapes),
            "items": shapes,
            "page": self.page,
            "page_count": max(1, -(-filtered // self.page_size)),
            "page_size": self.page_size,
            "total_count": total,
        }

    def sorted(self, shapes: list[Shape]) -> list[Shape]:
        """A short list in the order that was asked for."""
        return sorted(shapes, key=self._place, reverse=self.reverse) if self.sort else shapes

    def _place(self, shape: Shape) -> list[tuple[int, float, str]]:
        return [_rank(_at(shape, column.split("."))) for column in self.sort.split(",") if column]

    def cut(self, shapes: list[Shape]) -> list[Shape]:
        """A short list with the columns that were asked for alone."""
        return [self.cut_one(shape) for shape in shapes] if self.columns else shapes

    def cut_one(self, shape: Shape) -> Shape:
        """One object with the columns that were asked for alone."""
        if not self.columns:
            return shape
        kept: Shape = {}
        for path in self.columns:
            _copy(shape, path, kept)
        return kept


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    given = query.get(name)
    if given is None:
        return default
    if re.fullmatch(r"-?\d{1,9}", given, re.ASCII) is None:
        raise bad_request("Pagination parameters are invalid")
    return int(given)


def _matcher(name: str, is_pattern: bool) -> Callable[[str], bool]:
    if not is_pattern:
        folded = name.casefold()
        return lambda candidate: folded in candidate.casefold()
    if len(name) > PATTERN_MAX:
        raise bad_request("the regular expression is too long")
    try:
        expression = Expression(name, re.IGNORECASE)
    except ValueError as error:
        raise bad_request(f"not a regular expression: {error}") from None
    return lambda candidate: _is_in(expression, candidate)


def _is_in(expression: Expression, name: str) -> bool:
    found = expression.is_in(name)
    if expression.is_overlong:
        raise bad_request("the regular expression takes too long")
    return found


def _at(shape: object, path: list[str]) -> object:
    for name in path:
        if not isinstance(shape, dict):
            return None
        shape = shape.get(name)
    return shape


def _rank(value: object) -> tuple[int, float, str]:
    """Absent values first, then numbers, then texts."""
    if value is None:
        return (0, 0, "")
    if isinstance(value, int | float):
        return (1, value, "")
    return (2, 0, str(value))


def _copy(shape: Shape, path: list[str], kept: Shape) -> None:
    """Copy what lies at the path, with the objects around it."""
    source: object = shape
    target = kept
    for name in path[:-1]:
        if not isinstance(source, dict) or name not in source:
            return
        source = source[name]
        inner = target.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        target = inner
    if isinstance(source, dict) and path[-1] in source:
        target[path[-1]] = source[path[-1]]
