"""One run of a case behind proxies of its own, one of which lies once."""

import copy
from collections.abc import Generator
from typing import Any, NamedTuple

from conformance.broker import Broker
from conformance.catalogue import Case
from conformance.mutation.corruption import LIES, Lie
from conformance.mutation.listener import NEVER, Listener
from conformance.mutation.proxy import Proxy
from conformance.mutation.web import WEB_LIES, WebLie, WebProxy
from conformance.target import Target


class Falsehood(NamedTuple):
    """Which word of the broker is a lie, the so manieth method or answer over HTTP, from 1; and what stands for it.

    A lingering broker says nothing wrong, but seems not to close the connection.
    """

    method: int = NEVER
    answer: int = NEVER
    lie: Lie = LIES[0]
    web_lie: WebLie = WEB_LIES[0]
    lingers: bool = False


class Trial:
    """A case that is begun and ended; whatever it raises means that it noticed. Counts what the broker said to it."""

    def __init__(self, case: Case, target: Target, falsehood: Falsehood) -> None:
        self.case = case
        self.falsehood = falsehood
        self.passed = True
        self.methods = 0
        self.answers = 0
        proxy = Proxy(target.amqp.host, target.amqp.port, falsehood.lie, falsehood.method, falsehood.lingers)
        self._proxies: list[Listener] = [proxy]
        self._target = copy.copy(target)
        self._target.amqp = target.amqp._replace(host="127.0.0.1", port=proxy.port)
        if target.http:
            web = WebProxy(target.http.host, target.http.port, falsehood.web_lie, falsehood.answer)
            self._target.http = target.http._replace(host="127.0.0.1", port=web.port)
            self._proxies.append(web)
        self._broker = Broker(self._target)
        self._body: Generator[Any, None, None] | None = None

    def falsehoods(self) -> list[Falsehood]:
        """Every lie about the last that the case received; about how the connection ended if there were no methods."""
        spoken = [Falsehood(method=self.methods, lie=lie) for lie in LIES] if self.methods else []
        written = [Falsehood(answer=self.answers, web_lie=lie) for lie in WEB_LIES] if self.answers else []
        return spoken + written or [Falsehood(lingers=True)]

    def unheard(self) -> Falsehood | None:
        """The same lie at the last moment that this trial reached, if it ended before the lie; None if it heard it."""
        reached = min(self.methods, self.falsehood.method), min(self.answers, self.falsehood.answer)
        if reached == (self.falsehood.method, self.falsehood.answer):
            return None
        return self.falsehood._replace(method=reached[0], answer=reached[1])

    def begin(self) -> None:
        """Runs the case, or as far as the restart that it needs."""
        try:
            body = self.case.body(self._broker, *self.case.arguments)
            if isinstance(body, Generator):
                self._body = body
                next(body)
        except Exception:  # noqa: BLE001 - a lie may break anything
            self.passed = False

    def end(self) -> None:
        """Runs what comes after the restart, and cleans up behind honest proxies."""
        if self._body is not None:
            self._broker.forget_connections()
        try:
            if self._body is not None and self.passed:
                next(self._body, None)
        except Exception:  # noqa: BLE001 - the same
            self.passed = False
        self.methods, self.answers = self._broker.transcript.methods, self._broker.transcript.answers
        for proxy in self._proxies:
            proxy.be_honest()
        self._broker.clean()
        for proxy in self._proxies:
            proxy.close()
