"""Asks the HTTP service that knows users, as RabbitMQ's HTTP backend does: `allow`, perhaps with tags, or `deny`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from amqpd.broker.answers import DENY, RESOURCE, TOPIC, USER, VHOST
from amqpd.broker.broker import Broker
from amqpd.broker.remote import expire_answers
from amqpd.config import Config
from amqpd.errors import StartError, Undecided
from amqpd.logs import ERROR, log
from amqpd.server.admission import Asker

logger = logging.getLogger(__name__)

CONNECTIONS: Final = 64
"""Requests that are under way at most; more wait."""
ANSWER_LIMIT: Final = 64 * 1024
"""Octets of an answer that are read."""
FORM: Final = {"Content-Type": "application/x-www-form-urlencoded"}


class HttpBackend(Asker):
    """The service at four URLs. Raises StartError if one is missing."""

    def __init__(self, config: Config, broker: Broker) -> None:
        self._config: Final = config
        self._broker: Final = broker
        self._urls: Final = {
            USER: config.auth_http_user_path,
            VHOST: config.auth_http_vhost_path,
            RESOURCE: config.auth_http_resource_path,
            TOPIC: config.auth_http_topic_path,
        }
        missing = [f"auth-http-{subject}-path" for subject, url in self._urls.items() if not url]
        if missing:
            raise StartError(f"the HTTP backend needs {', '.join(missing)}")
        self._session: Final = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=config.auth_http_timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._asking: Final[set[asyncio.Task[None]]] = set()
        self._expiring: Final = asyncio.create_task(self._expire())

    async def close(self) -> None:
        """Ask no more; what is open stays undecided."""
        for task in (self._expiring, *self._asking):
            task.cancel()
        await self._session.close()

    def ask(self, question: Undecided, answered: Callable[[Undecided, str], None]) -> None:
        """See `Asker.ask`."""
        task = asyncio.create_task(self._ask(question, answered))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _ask(self, question: Undecided, answered: Callable[[Undecided, str], None]) -> None:
        try:
            answer = await self._answer(question)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = str(error) or type(error).__name__
            log(logger, ERROR, "no answer from the HTTP backend", url=self._urls[question.subject], reason=reason)
            answer = DENY
        answered(question, answer)

    async def _answer(self, question: Undecided) -> str:
        form = urlencode(question.parameters, errors="surrogateescape")
        url = self._urls[question.subject]
        if self._config.auth_http_method == "post":
            request = self._session.post(URL(url, encoded=True), data=form.encode(), headers=FORM, allow_redirects=False)
        else:
            separator = "&" if "?" in url else "?"
            request = self._session.get(URL(f"{url}{separator}{form}", encoded=True), allow_redirects=False)
        async with request as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            text = (await response.content.read(ANSWER_LIMIT)).decode("utf-8", "replace")
        word, _, rest = text.strip().partition(" ")
        return f"{word.lower()} {rest}".strip()

    async def _expire(self) -> None:
        """Have permissions asked for again from time to time, also those that publishers rely on."""
        while True:
            await asyncio.sleep(self._config.auth_http_cache)
            for name in expire_answers(self._broker.connections):
                vhost = self._broker.vhosts.get(name)
                if vhost is not None:
                    vhost.generation += 1
