"""Health checks: 200 if all is well, 503 with the reason if not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from amqpd.management import certificate
from amqpd.management.call import Call
from amqpd.management.page import Shape
from amqpd.management.refusal import bad_request, unavailable

OK: Final[Shape] = {"status": "ok"}
DAYS: Final = {"days": 1, "weeks": 7, "months": 30, "years": 365}
ALIASES: Final = {"amqp091": "amqp", "amqp0.9.1": "amqp", "amqp0-9-1": "amqp", "amqps": "amqp/ssl"}
INACTIVE: Final = "No active listener"
PORT_MAX: Final = 65535


async def show_status(call: Call) -> object:
    """That the broker runs, which it does if it answers."""
    return OK


async def check_alarms(call: Call) -> object:
    """Whether memory or disk are low."""
    return _alarms(call, "There are alarms in effect in the cluster")


async def check_local_alarms(call: Call) -> object:
    """Whether memory or disk of this node are low."""
    return _alarms(call, "There are alarms in effect on the node")


def _alarms(call: Call, reason: str) -> Shape:
    alarms = call.site.wiring.alarms()
    if alarms:
        raise unavailable(reason=reason, alarms=[{"node": call.site.node, "resource": name} for name in alarms])
    return OK


async def check_port(call: Call) -> object:
    """Whether something listens on a port."""
    if not call["port"].isdecimal() or not 0 < int(call["port"]) <= PORT_MAX:
        raise bad_request("Invalid port")
    port = int(call["port"])
    ports = [door.port for door in call.site.doors]
    if port not in ports:
        raise unavailable(reason=INACTIVE, missing=port, ports=ports)
    return {**OK, "port": port}


async def check_protocols(call: Call) -> object:
    """Whether each of several protocols, separated by commas, is listened for."""
    active = [door.protocol for door in call.site.doors]
    wanted = [name for name in call["protocols"].split(",") if name]
    lacking = [name for name in wanted if ALIASES.get(name, name) not in active]
    if lacking or not wanted:
        missing: object = lacking[0] if len(lacking) == 1 else lacking
        raise unavailable(reason=INACTIVE, missing=missing, protocols=active)
    if len(wanted) == 1:
        return {**OK, "protocol": wanted[0]}
    return {**OK, "protocols": wanted}


async def check_certificates(call: Call) -> object:
    """Whether a certificate expires within so many days, weeks, months or years."""
    days = DAYS.get(call["unit"])
    if days is None:
        raise bad_request("Time unit not recognised. Supported units: days, weeks, months, years.")
    within = call["within"]
    if not within.isdecimal() or len(within) > 4:
        raise bad_request("Invalid expiration period")
    path = call.site.config.http_tls_certificate
    end = certificate.end_of(path) if path else None
    if end is not None and end < datetime.now(UTC) + timedelta(days=int(within) * days):
        expired = [
            {"node": call.site.node, "name": "https", "not_after": end.isoformat(), "interface": door.host, "port": door.port}
            for door in call.site.doors
            if door.protocol == "https"
        ]
        raise unavailable(reason="Certificates expiring", expired=expired)
    return OK


async def check_single_node(call: Call) -> object:
    """Whether this node can go without loss of a majority: there is no other one."""
    return {**OK, "reason": "single node cluster"}


async def check_vhost(call: Call) -> object:
    """Whether a virtual host works."""
    call.seen_vhost()
    return OK
