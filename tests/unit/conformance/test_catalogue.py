"""The catalogue of cases: complete, well-formed, selectable."""

import inspect
from pathlib import Path

import pytest

import conformance.cases
from conformance.catalogue import MUST, Area, Case, load
from conformance.cli import names, select

CASES = load()
LEAST = 600


def case_called(id: str) -> Case:
    """The case with this id."""
    return next(case for case in CASES if case.id == id)


def test_every_module_is_loaded() -> None:
    """No file of cases is forgotten in the list of modules."""
    files = {path.stem for path in Path(conformance.cases.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(conformance.cases.MODULES)


def test_there_are_enough_rules() -> None:
    """There are at least 600 functions and rows with a rule of their own."""
    assert len(CASES) >= LEAST


def test_ids_are_unique() -> None:
    """No two cases share an id, whatever order they are loaded in."""
    assert len(CASES) == len({case.id for case in CASES})


def test_two_cases_of_one_id_are_refused() -> None:
    """Registering an id twice raises ValueError."""
    area = Area("test", "Test")
    area.case("test.twice", "title", "reference")(print)
    with pytest.raises(ValueError, match=r"test\.twice"):
        area.case("test.twice", "title", "reference")(print)


def test_unknown_needs_are_refused() -> None:
    """A need that no flag provides raises ValueError."""
    with pytest.raises(ValueError, match="luck"):
        Area("test", "Test").case("test.need", "title", "reference", MUST, ["luck"])(print)


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.id))
def test_cases_say_what_they_prove(case: Case) -> None:
    """Every case has a complete title and a reference, and an id without spaces."""
    assert case.title
    assert "{" not in case.title.replace("{username}", "")
    assert case.reference
    assert " " not in case.id


def test_restarts_are_generators() -> None:
    """A case yields where the broker goes down if, and only if, it needs a restart."""
    assert [] == [case.id for case in CASES if inspect.isgeneratorfunction(case.body) != bool(case.needs & {"restart", "kill"})]


def test_deviations_give_a_reason() -> None:
    """A deviation names a product and says which side is right or why it differs."""
    reasons = [(name, why) for case in CASES for name, why in case.deviations.items()]
    assert [] == [name for name, why in reasons if not name.startswith("RabbitMQ") or len(why) < len("version difference")]


@pytest.mark.parametrize("word", ["channels", "must", "channel.open", "channel.open.twice", "channel.*.twice"])
def test_words_that_select(word: str) -> None:
    """A case is named by its area, level, id, the beginning of its id, or a pattern."""
    assert names(word, case_called("channel.open.twice"))


@pytest.mark.parametrize("word", ["queues", "should", "channel.op", "twice"])
def test_words_that_do_not_select(word: str) -> None:
    """Other words do not name it."""
    assert not names(word, case_called("channel.open.twice"))


def test_deselecting_wins() -> None:
    """What is deselected is left out of what is selected."""
    chosen = select(CASES, ["channels"], ["channel.open"])
    assert chosen
    assert not any(case.id.startswith("channel.open") for case in chosen)


def test_deviation_is_found_by_product_and_version() -> None:
    """A recorded deviation counts for the versions that its name begins."""
    case = case_called("channel-max.number")
    assert case.deviation_of("RabbitMQ 3.10.8")
    assert case.deviation_of("RabbitMQ 4.1.0") is None
