"""A message's headers as exchanges see them: decoded, and with properties among them for those that look at these."""

from __future__ import annotations

from amqpd.wire import properties
from amqpd.wire.properties import Properties
from exchanges.base import property_header


def headers_for_exchanges(found: Properties, wants_properties: bool) -> dict[str, object]:
    """The headers of a message that was checked when it was published. Raises BadSyntax if its bytes are damaged."""
    headers = properties.decoded_headers(found)
    return {**headers, **property_headers(found)} if wants_properties else headers


def property_headers(found: Properties) -> dict[str, object]:
    """The properties that an exchange may want, each under the name that it looks for."""
    named: dict[str, object] = {
        "correlation_id": found.correlation_id,
        "message_id": found.message_id,
        "timestamp": found.timestamp,
    }
    return {property_header(name): value for name, value in named.items() if value is not None}
