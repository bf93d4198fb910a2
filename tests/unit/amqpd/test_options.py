import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amqpd.options import OPTIONS, Option, choice, fraction_or_size, integer, nonempty, optional_path, path, seconds, size


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_default_is_a_valid_value(option: Option) -> None:
    """Every default passes its own parser, so that amqpd starts without any configuration."""
    option.parse(option.default)


def test_names_are_unique() -> None:
    """No two rows share a name or an environment variable."""
    variables = [variable for option in OPTIONS for variable in option.variables]
    assert len(OPTIONS) == len({option.name for option in OPTIONS})
    assert len(variables) == len(set(variables))


def test_one_name_gives_all_spellings() -> None:
    """Flag, file key and environment variables are derived from the row's name."""
    option = Option("data_dir", path, "~", "", "OTHER")
    assert ("--data-dir", "data-dir", ["AMQPD_DATA_DIR", "OTHER"]) == (option.flag, option.key, option.variables)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("4096", 4096),
        ("4096B", 4096),
        ("50MB", 50_000_000),
        ("50M", 50_000_000),
        ("64MiB", 64 * 2**20),
        ("64mib", 64 * 2**20),
        ("2 GiB", 2 * 2**30),
        ("3k", 3000),
        ("1TiB", 2**40),
    ],
)
def test_size_understands_units(text: str, expected: int) -> None:
    """KiB and its kin are powers of 1024, kB and its kin powers of 1000."""
    assert expected == size()(text)


@pytest.mark.parametrize("text", ["", "MiB", "-1", "1.5GiB", "64 XB", "1e3", "٤", "4096\n", "9" * 5000, "999999999TiB"])
def test_size_refuses_nonsense(text: str) -> None:
    """What is not a size is refused, also if it is absurdly long or in other digits."""
    with pytest.raises(ValueError, match="must be a size"):
        size()(text)


@given(st.from_regex(r"\d+ ?[kMGT]?i?B?") | st.text())
def test_size_gives_a_size_or_value_error(text: str) -> None:
    """A text is a size in the range, or the parser raises ValueError and nothing else."""
    with contextlib.suppress(ValueError):
        assert size(1, 2**40)(text) in range(1, 2**40 + 1)


@pytest.mark.parametrize("text", ["0", "65535", "007"])
def test_integer_accepts_its_range(text: str) -> None:
    """Both ends of the range belong to it."""
    assert int(text) == integer(0, 65535)(text)


@pytest.mark.parametrize("text", ["", "-1", "65536", "1_000", "1.0", "0x10", " 1", "9" * 5000])
def test_integer_refuses_the_rest(text: str) -> None:
    """Signs, spaces and Python's own notations are no numbers for people."""
    with pytest.raises(ValueError, match="must be a whole number between 0 and 65535"):
        integer(0, 65535)(text)


@pytest.mark.parametrize(("text", "expected"), [("0.6", 0.6), ("1.0", 1.0), ("0", 0), ("2GiB", 2**31)])
def test_a_watermark_is_a_fraction_or_a_size(text: str, expected: float) -> None:
    """The point tells them apart."""
    assert expected == fraction_or_size(text)


@pytest.mark.parametrize("text", ["", "1.1", ".5", "-0.5", "60%", "2.5GiB"])
def test_a_watermark_is_nothing_else(text: str) -> None:
    """More than all the memory, percentages and fractions of sizes are refused."""
    with pytest.raises(ValueError, match="must be a"):
        fraction_or_size(text)


def test_seconds_may_have_fractions() -> None:
    """A duration need not be a whole number of seconds."""
    assert (10.0, 0.25) == (seconds("10"), seconds("0.25"))


@pytest.mark.parametrize("text", ["0", "0.0", "-1", "nan", "inf", "1e3", ""])
def test_seconds_are_positive_and_finite(text: str) -> None:
    """A timeout of nothing, or of no number, is refused."""
    with pytest.raises(ValueError, match="must be a positive number of seconds"):
        seconds(text)


def test_choice_names_the_choices() -> None:
    """A wrong word is answered with the right ones."""
    assert choice("text", "json")("json") == "json"
    with pytest.raises(ValueError, match="must be one of text, json"):
        choice("text", "json")("xml")


def test_texts_are_not_empty() -> None:
    """A user or a host without a name is a mistake."""
    with pytest.raises(ValueError, match="must not be empty"):
        nonempty("")


def test_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths may begin with ~, also where no shell has expanded it."""
    monkeypatch.setenv("HOME", "/home/ann")
    assert "/home/ann/data" == str(path("~/data"))


def test_unknown_home_is_a_clear_error() -> None:
    """A ~ that stands for nothing is refused instead of becoming a folder of that name."""
    with pytest.raises(ValueError, match="there is no home folder"):
        path("~nobody-of-that-name/data")


def test_optional_path_may_be_absent() -> None:
    """No text means no path."""
    assert optional_path("") is None
