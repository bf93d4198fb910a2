import logging
import resource
from pathlib import Path

import pytest

from amqpd.broker.quota import MAX_QUEUES
from amqpd.server import headroom
from amqpd.server.alarms import Alarms
from amqpd.server.headroom import RESERVED_FILES, Headroom
from amqpd.server.watermarks import Watermarks
from helpers.core import Core, declare
from helpers.pair import config


@pytest.fixture
def core() -> Core:
    """A core with a limit of ten queues."""
    made = Core()
    made.vhost.quota.limits[MAX_QUEUES] = 10
    return made


def looking(core: Core, folder: Path, **options: str) -> Headroom:
    """What looks at the core, under a configuration in which nothing is near."""
    chosen = config(**({"memory_high_watermark": "1000GB", "disk_free_limit": "0", "data_dir": str(folder)} | options))
    return Headroom(chosen, core.broker, Watermarks(chosen, Alarms(core.broker.events), lambda: None, core.broker.ration))


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, int, int]]:
    """Event, resource, use and limit of each line."""
    found = [(record.getMessage(), record.__dict__["fields"]) for record in caplog.records]
    caplog.clear()
    return [(event, fields["resource"], fields["used"], fields["limit"]) for event, fields in found]


def test_it_warns_before_the_limit_and_once(core: Core, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At four fifths of a limit there is a warning, and another one only after the use was well below."""
    near = looking(core, tmp_path)
    name = f"max-queues of vhost {core.vhost.name}"
    with caplog.at_level(logging.INFO):
        for number in range(7):
            declare(core, f"q{number}")
        near.look()
        assert [] == told(caplog)
        declare(core, "q7")
        near.look()
        near.look()
        assert [("near a limit", name, 8, 10)] == told(caplog)
        core.vhost.delete_queue(core.vhost.queues["q7"])
        near.look()
        assert [] == told(caplog)
        core.vhost.delete_queue(core.vhost.queues["q6"])
        near.look()
        assert [("no longer near a limit", name, 6, 10)] == told(caplog)


@pytest.mark.parametrize(
    ("options", "name"), [({"memory_high_watermark": "2"}, "memory"), ({"disk_free_limit": "1000TB"}, "disk")]
)
def test_memory_and_disk_are_looked_at(
    core: Core, tmp_path: Path, caplog: pytest.LogCaptureFixture, options: dict[str, str], name: str
) -> None:
    """What the alarms will be about is told before."""
    looking(core, tmp_path, **options).look()
    assert [name] == [found for _, found, _, _ in told(caplog)]


def test_what_clients_declare_is_looked_at(core: Core, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Limits of the node are warned of like those of a virtual host; one that is not set is none."""
    near = looking(core, tmp_path)
    core.broker.setting.capacity.queues.limit = 5
    with caplog.at_level(logging.INFO):
        for number in range(4):
            declare(core, f"q{number}")
        near.look()
    assert [("near a limit", "queues", 4, 5)] == told(caplog)


def test_files_are_kept_for_the_broker_itself() -> None:
    """Clients get all file descriptors but some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (500, hard))
        assert 500 - RESERVED_FILES == headroom.sockets_limit()
        headroom.raise_files_limit()
        assert (hard, hard) == resource.getrlimit(resource.RLIMIT_NOFILE)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
