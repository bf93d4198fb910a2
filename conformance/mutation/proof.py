"""Runs a case once as it is and once with the last decisive word of the broker corrupted: the second run must fail."""

from conformance.broker import Broker
from conformance.catalogue import Case
from conformance.mismatch import Mismatch, Unsupported
from conformance.mutation.corruption import LIES, Lie, twist
from conformance.mutation.proxy import NEVER, Proxy
from conformance.target import Target


class Proof:
    """Proves cases through a proxy; the target's URL must be the proxy's."""

    def __init__(self, target: Target, proxy: Proxy) -> None:
        self._target = target
        self._proxy = proxy

    def survives(self, case: Case) -> bool:
        """Whether a case passes whatever lie stands for the last method that it received; False if it cannot be judged."""
        methods = self._attempt(case, NEVER, twist)
        return methods is not None and methods > 0 and all(self._attempt(case, methods, lie) is not None for lie in LIES)

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
