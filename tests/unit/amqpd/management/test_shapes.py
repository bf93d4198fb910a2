"""Objects as the API shows them."""

from amqpd.management.shapes import exchange_shape
from amqpd.management.site import Site
from amqpd.management.stats import Ranges
from helpers.core import Core


def test_an_exchange_that_was_deleted_since_it_was_listed(core: Core, site: Site) -> None:
    """It is shown as it was: long lists are made in slices, and others have their turn between these."""
    exchange = core.vhost.declare_exchange("topic", "x", True, False, False, b"")
    core.vhost.delete_exchange(exchange)
    shape = exchange_shape(site, core.vhost, exchange, Ranges({}))
    assert ("x", "topic", True) == (shape["name"], shape["type"], shape["durable"])
