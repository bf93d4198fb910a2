"""Runs a case once as it is and once with the last decisive word of the broker corrupted: the second run must fail."""

from typing import Final

from conformance.broker import Broker
from conformance.catalogue import Case
from conformance.mismatch import Mismatch, Unsupported
from conformance.mutation.corruption import LIES, Lie, twist
from conformance.mutation.proxy import NEVER, Proxy
from conformance.target import Target

# How often a case may receive fewer methods than the time before, as one that polls does.
ATTEMPTS: Final = 4


class Proof:
    """Proves cases through a proxy; the target's URL must be the proxy's."""

    def __init__(self, target: Target, proxy: Proxy) -> None:
        self._target = target
        self._proxy = proxy

    def survives(self, case: Case) -> bool:
        """Whether a case passes whatever lie stands for the last method that it received; False if it cannot be judged."""
        methods = self._attempt(case, NEVER, twist)
        return bool(methods) and all(self._passes_despite(case, lie, methods or 0) for lie in LIES)

    def _passes_despite(self, case: Case, lie: Lie, methods: int) -> bool:
        for _ in range(ATTEMPTS):
            seen = self._attempt(case, methods, lie)
            if seen is None:
                return False
            if seen >= methods:
                return True
            methods = seen
        return False

    def _attempt(self, case: Case, victim: int, lie: Lie) -> int | None:
        """How many methods the case received, None when it did not pass."""
        broker = Broker(self._target)
        self._proxy.begin(victim, lie)
        try:
            case.body(broker, *case.arguments)
        except (Mismatch, Unsupported, AssertionError, ValueError, TypeError, KeyError, AttributeError):
            return None
        else:
            return broker.transcript.methods
        finally:
            self._proxy.begin(NEVER)
            broker.clean()
