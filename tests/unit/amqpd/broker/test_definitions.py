import pytest

from amqpd.broker.definitions import Import
from amqpd.errors import PreconditionFailed
from helpers.core import Core


@pytest.mark.parametrize("limits", [1, "all", [1], [{"name": "max-queues", "value": "many"}], {"max-queues": "many"}])
def test_limits_that_are_none_are_found_before_anything_is_done(limits: object) -> None:
    """A document is carried out as a whole or not at all."""
    core = Core()
    document = {"vhosts": [{"name": "first"}, {"name": "second", "limits": limits}]}
    with pytest.raises(PreconditionFailed, match=r"^vhosts: second: "):
        Import(core.broker, document, None).carry_out()
    assert ["/"] == list(core.broker.vhosts)
