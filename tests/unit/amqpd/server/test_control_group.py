"""The memory that control groups leave to the process is found wherever they say it."""

from pathlib import Path

import pytest

from amqpd.server.control_group import memory_limits

NO_LIMIT = "9223372036854771712"
"""What version 1 says of a group without a limit."""


@pytest.mark.parametrize(
    ("membership", "files", "limits"),
    [
        pytest.param("0::/", {}, [], id="no group"),
        pytest.param("0::/", {"memory.max": "1000"}, [1000], id="version 2 from inside"),
        pytest.param(
            "0::/system.slice/amqpd.service",
            {"system.slice/amqpd.service/memory.max": "max", "system.slice/memory.max": "2000"},
            [2000],
            id="version 2: only the group around it has a limit",
        ),
        pytest.param(
            "0::/a:b/c", {"a:b/c/memory.max": "10", "a:b/memory.max": "20"}, [10, 20], id="version 2: a name with a colon"
        ),
        pytest.param(
            "5:cpu,memory:/docker/1\n1:name=systemd:/docker/1\n0::/docker/1",
            {"memory/docker/1/memory.limit_in_bytes": "3000", "memory/memory.limit_in_bytes": NO_LIMIT},
            [3000, int(NO_LIMIT)],
            id="version 1",
        ),
        pytest.param(
            "4:memory:/docker/1", {"memory/memory.limit_in_bytes": "4000"}, [4000], id="version 1: a name from outside"
        ),
    ],
)
def test_limits_of_all_groups_around_the_process_are_found(
    tmp_path: Path, membership: str, files: dict[str, str], limits: list[int]
) -> None:
    """Those without a limit, and those that are not there, say nothing."""
    groups = tmp_path / "groups"
    groups.write_text(membership + "\n")
    for name, text in files.items():
        path = tmp_path / "mount" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    assert limits == list(memory_limits(groups, tmp_path / "mount"))


def test_another_system_has_no_control_groups(tmp_path: Path) -> None:
    """Nothing is found, and nothing is raised."""
    assert [] == list(memory_limits(tmp_path / "missing", tmp_path))
