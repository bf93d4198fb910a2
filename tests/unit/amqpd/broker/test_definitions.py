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


@pytest.mark.parametrize("section", ["users", "vhosts"])
def test_a_tag_with_a_comma_is_refused(section: str) -> None:
    """It would be two tags after a restart, `administrator` perhaps among them; a text with commas is several tags at once."""
    core = Core()
    with pytest.raises(PreconditionFailed, match=rf"^{section}: bad: .*comma"):
        Import(core.broker, {section: [{"name": "bad", "tags": ["a,administrator"]}]}, None).carry_out()
    Import(core.broker, {"users": [{"name": "good", "tags": "a, b"}]}, None).carry_out()

    assert (["/"], ["guest", "good"]) == (list(core.broker.vhosts), list(core.broker.users.by_name))
    assert ("a", "b") == core.broker.users.by_name["good"].tags
