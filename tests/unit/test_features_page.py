"""The page of features names proofs that exist."""

import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import pytest

from conformance.catalogue import load

ROOT: Final = Path(__file__).parents[2]
CASES: Final = [case.id for case in load()]
PAGE: Final = ROOT / "docs" / "features.md"
ROW: Final = re.compile(r"^\| (.+?) \| (.+?) \|(?: (.+?))? \|$", re.MULTILINE)


def proofs() -> list[str]:
    """What the last columns name in backticks."""
    return sorted({name for row in ROW.findall(PAGE.read_text(encoding="utf-8")) for name in re.findall(r"`([^`]+)`", row[2])})


@pytest.mark.parametrize("proof", proofs())
def test_proofs_are_there(proof: str) -> None:
    """A file is one of the integration tests, and any other name that of at least one case of the conformance suite."""
    if proof.endswith(".py"):
        assert (ROOT / "tests" / "integration" / proof).exists()
    else:
        assert any(fnmatchcase(case, proof) for case in CASES)


def test_every_feature_is_proved() -> None:
    """Unless it is not offered."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert [] == [feature for feature, behaviour, proof in rows if bool(proof) == (behaviour == "not offered")]
