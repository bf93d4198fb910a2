"""What amqpd needs at run time is pinned for those who want that, and explained."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def name_of(requirement: str) -> str:
    """The package in a requirement, spelled as all its spellings are compared."""
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


NEEDED = {name_of(requirement) for requirement in PROJECT["dependencies"]}


def test_every_dependency_is_pinned() -> None:
    """constraints.txt names one version of each."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [] == [pin for pin in pins if re.fullmatch(r"[\w.-]+==[\w.]+", pin) is None]
    assert set() == NEEDED - {name_of(pin) for pin in pins}


def test_every_dependency_is_explained() -> None:
    """docs/dependencies.md says why each is there, and of no other."""
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert sorted(NEEDED) == sorted(name_of(name) for name in re.findall(r"^\| `([\w-]+)` \|", page, re.MULTILINE))
