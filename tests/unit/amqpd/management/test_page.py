import asyncio
from typing import Any

import pytest

from amqpd.management.encoding import Encoded, decode
from amqpd.management.page import Wish
from amqpd.management.refusal import Refusal

ITEMS = [{"name": name, "stats": {"rate": rate}} for name, rate in (("b", 2), ("a", 3), ("C", 1))]


def answer(**query: str) -> Any:  # noqa: ANN401 - a list or a page
    """The answer to a query over three items."""
    found = asyncio.run(Wish(query).answer(ITEMS, lambda item: str(item["name"]), dict))
    return decode(b"".join(found.pieces())) if isinstance(found, Encoded) else found


def test_nested_column_sorts() -> None:
    """Dots lead into nested objects, forwards and backwards."""
    assert ["C", "b", "a"] == [item["name"] for item in answer(sort="stats.rate")]
    assert ["a", "b", "C"] == [item["name"] for item in answer(sort="stats.rate", sort_reverse="true")]


def test_column_that_is_missing_sorts_first() -> None:
    """What has no value comes before all values, and is no error."""
    assert 3 == len(answer(sort="nowhere.at.all"))


def test_columns_keep_their_place() -> None:
    """Only the named paths are left; what is not there is left out."""
    assert [{"stats": {"rate": 2}}, {"stats": {"rate": 3}}, {"stats": {"rate": 1}}] == answer(columns="stats.rate,nothing.x")


def test_pages_count_what_was_filtered() -> None:
    """The filter ignores case, and counts tell how much was left out."""
    page = answer(page="1", page_size="1", name="c")
    assert (3, 1, 1, ["C"]) == (
        page["total_count"], page["filtered_count"], page["page_count"], [item["name"] for item in page["items"]],
    )  # fmt: skip


def test_empty_first_page_is_a_page() -> None:
    """A filter that nothing passes gives an empty first page, not an error."""
    assert ([], 1) == (answer(page="1", name="zzz")["items"], answer(page="1", name="zzz")["page_count"])


@pytest.mark.parametrize(
    "query",
    [{"page": "2"}, {"page": "-1"}, {"page": "1", "page_size": "501"}, {"page": "1", "page_size": "٣"},
     {"page": "1", "name": "(", "use_regex": "true"}, {"page": "1", "name": "a" * 2000, "use_regex": "true"}],
)  # fmt: skip
def test_query_that_makes_no_sense_is_400(query: dict[str, str]) -> None:
    """No query is an internal error."""
    with pytest.raises(Refusal) as refused:
        answer(**query)
    assert 400 == refused.value.status
