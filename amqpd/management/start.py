"""Starting and stopping the management."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from typing import Final

from amqpd.broker.broker import Broker
from amqpd.config import Config
from amqpd.errors import StartError
from amqpd.logs import ERROR, INFO, log
from amqpd.management.prometheus.server import Server as MetricsServer
from amqpd.management.server import Server
from amqpd.management.site import Door, Site, Wiring

logger = logging.getLogger(__name__)

AMQP_PORT: Final = 5672
HTTP_PORT: Final = 15672
METRICS_PORT: Final = 15692


class Management:
    """The running management of one broker."""

    def __init__(self, broker: Broker, config: Config, wiring: Wiring) -> None:
        self.config: Final = config
        self.site: Final = Site(broker, config, wiring)
        origins = tuple(origin.strip() for origin in config.http_origins.split(",") if origin.strip())
        self._server: Final = Server(self.site, config.http_path_prefix, origins, config.http_body_limit)
        self._metrics: Final = MetricsServer(self.site)
        self._sampling: asyncio.Task[None] | None = None
        self._tls: ssl.SSLContext | None = None

    async def start(self, doors: list[Door]) -> str:
        """Listen, beside the broker's own doors; return the URL. Raises StartError."""
        config = self.config
        tls = self._tls = _tls(config)
        scheme = "https" if tls is not None else "http"
        host, port = await self._server.open(config.http_host or config.host, http_port(config), tls)
        self.site.doors.extend([*doors, Door(scheme, host, port, tls is not None)])
        await self._open_metrics()
        self._sampling = asyncio.create_task(self.site.rates.run())
        shown = f"[{host}]" if ":" in host else host
        return f"{scheme}://{shown}:{port}{config.http_path_prefix}"

    async def _open_metrics(self) -> None:
        """Serve metrics where Prometheus looks for them; the port is told among the listeners of the API."""
        config = self.config
        if config.metrics_port == "none":
            return
        wanted = _port(config, config.metrics_port, METRICS_PORT)
        host, port = await self._metrics.open(config.metrics_host or config.http_host or config.host, wanted, None)
        self.site.doors.append(Door("http/prometheus", host, port))

    def reload(self) -> None:
        """Read the certificate again, for connections to come; if it cannot be used, the old one stays."""
        if self._tls is None:
            return
        try:
            _tls(self.config)
            self._tls.load_cert_chain(self.config.http_tls_certificate, self.config.http_tls_key or None)
            log(logger, INFO, "certificates loaded")
        except StartError as error:
            log(logger, ERROR, "certificates not loaded", reason=str(error))

    async def stop(self) -> None:
        """Answer nobody any more."""
        if self._sampling is not None:
            self._sampling.cancel()
            with suppress(asyncio.CancelledError):
                await self._sampling
        await self._metrics.close()
        await self._server.close()


def http_port(config: Config) -> int:
    """The port to listen on; 0: any that is free."""
    return _port(config, config.http_port, HTTP_PORT)


def _port(config: Config, wanted: str, usual: int) -> int:
    if wanted == "auto":
        return usual if config.port == AMQP_PORT else 0
    return int(wanted)


def _tls(config: Config) -> ssl.SSLContext | None:
    if not config.http_tls_certificate:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(config.http_tls_certificate, config.http_tls_key or None)
    except OSError as error:
        raise StartError(f"cannot use the certificate {config.http_tls_certificate}: {error}") from error
    return context
