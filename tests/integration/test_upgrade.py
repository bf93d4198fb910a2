"""A broker starts on what every released layout of the data folder held, and finds all of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.broker import BrokerProcess, environment
from helpers.layouts import FOLDER, MOVING, contents, unpack

LAYOUTS = sorted(path.name.partition(".")[0] for path in FOLDER.glob("*.tar.xz"))


def test_there_is_a_first_layout() -> None:
    """Something is tested below."""
    assert "1" in LAYOUTS


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_folder_of_a_released_layout_is_understood(layout: str, tmp_path: Path) -> None:
    """Definitions may have more properties than they had, but none is lost or changed, and neither is a message."""
    expected = json.loads((FOLDER / f"{layout}.json").read_text(encoding="utf-8"))
    unpack(FOLDER / f"{layout}.tar.xz", tmp_path)
    broker = BrokerProcess(tmp_path)
    try:
        found = contents(broker)
    finally:
        assert 0 == broker.stop()
    known = [(kind, item.items()) for kind, item in found["definitions"]]
    assert [] == [[kind, item] for kind, item in expected["definitions"] if not any(
        kind == other and item.items() <= items for other, items in known
    )]  # fmt: skip
    payloads = {payload for stored in found["messages"].values() for payload, _ in stored}
    assert set() == MOVING - payloads
    assert staying(expected) == staying(found)
    command = [sys.executable, "-m", "amqpd", "check", "--data-dir", str(broker.data_folder)]
    assert 0 == subprocess.run(command, env=environment(), check=False).returncode


def staying(found: dict[str, dict[str, list[list[object]]]]) -> dict[str, list[list[object]]]:
    """The messages that stand in the same place however much later somebody looks."""
    return {place: [one for one in stored if one[0] not in MOVING] for place, stored in found["messages"].items()}
