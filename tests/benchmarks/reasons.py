"""Why targets are missed, and what a profiler says of them; shown beside a target only while it is missed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from benchmarks.deadlines import KINDS


class Reason(NamedTuple):
    """What stands between a target and what was measured."""

    text: str
    profiled: str = ""
    """What was profiled, and with what."""
    profile: Mapping[str, float] = MappingProxyType({})
    """Function or system call → its part of the whole."""


OVER_QUEUES: Final = (
    "50,000 queues take some 350 MB, which no cache of a processor holds: the queue's name, the queue, its consumers and the "
    "line that the message joins are fetched from memory for each message, where a single queue's are at hand. The address has "
    "to be resolved for each message, too, for a channel remembers 1,024 of them"
)

WAKING: Final = (
    "Most of it is the kernel waking two processes that sleep, the broker and the consumer. A program that only forwards the "
    "same bytes from one socket to the other took 24 to 33 µs (p50) when amqpd took 30 to 35 on the machine as slow as it was "
    "then, of which 20 to 25 were processor time of the broker. RabbitMQ's schedulers spin for a while before they sleep; "
    "amqpd does not burn a processor for it"
)

WATCHES: Final = (
    "An empty broker took 0.83 % when this was measured (50 ticks in 60 s); the figure comes in steps of 0.33 %. Most of it "
    "was the watchdog, which leaves a loop alone that waits since: 0.34 % now, and what waits was not measured anew"
)

DRAINING: Final = {
    "`libpython`: memory and objects of entries that come and go, the interpreter for what is not compiled": 0.44,
    "the kernel: reading and writing files, sockets": 0.21,
    "`libc`: copying bodies, memory": 0.14,
    "amqpd's compiled modules": 0.13,
    "`libz`: checksums of what is read": 0.05,
}
"""Where the time goes while a backlog leaves."""

REASONS: Final[dict[str, Reason]] = {
    **{f"1,000,000 messages wait for their deadlines ({kind}): CPU": Reason(f"{WATCHES}.") for kind in KINDS},
    "1,000,000 messages drained while publishing goes on": Reason(
        "The machine gave half of what it gave on another day: 217,000 a second were drained then, and `back` took in 451,000.",
        "the broker while a million messages are drained (`perf record -F 500 -g -p PID`)",
        DRAINING,
    ),
    "10,000,000 messages queued: rate of the last million to the first": Reason(
        "The disk took between 68,000 and 127,000 messages a second from one million to the next, the seventh million fastest "
        "of all: the figure is the disk's, which had 11 GB to take. Of the broker nothing grows with the queue but its memory, "
        "by 0.6 MB a million."
    ),
    "10,000,000 messages drained while publishing goes on": Reason(
        "The same disk gives back 11 GB meanwhile: what does not fit into the cache of the kernel is read a page at a time.",
        "the broker while a million messages, a tenth of them, are drained (`perf record -F 500 -g -p PID`)",
        DRAINING,
    ),
    "`lat`, p50": Reason(f"{WAKING}."),
    "`lat`, p99": Reason(f"{WAKING}."),
    "publishing over 50,000 queues, relative to one": Reason(
        f"{OVER_QUEUES}.",
        "functions of the broker while transient messages go to 50,000 queues (`perf record -F 500 -p PID`)",
        {
            "`unicodekeys_lookup_unicode`, `_Py_dict_lookup`: finding a queue by its name": 0.13,
            "`Line.push`, `Lane.push`, `deque_append`: joining a line": 0.12,
            "`gc_collect_main`, `visit_reachable`: collecting garbage": 0.08,
            "`_PyObject_Malloc`, `PyType_GenericAlloc`: memory for publications, envelopes, entries": 0.06,
            "`list_dealloc`: the publications that are forgotten": 0.03,
        },
    ),
    "publishing persistent messages over 50,000 queues, relative to one": Reason(
        f"{OVER_QUEUES}. A commit comes back to each queue, to close its log and to see whether something can leave memory.",
        "functions of the broker while persistent messages go to 50,000 queues (`perf record -F 500 -p PID`)",
        {
            "`gc_collect_main`, `visit_reachable`: collecting garbage": 0.13,
            "`unicodekeys_lookup_unicode`, `_Py_dict_lookup`: finding a queue by its name": 0.10,
            "`ChunkStore._close_logs`, `Log.put`, `Line.log_committed`: the commit's way to each queue": 0.09,
            "`_PyObject_Malloc`: memory for publications, envelopes, entries": 0.04,
            "`Line.push`: joining a line": 0.02,
        },
    ),
}
"""By what the target is called in `targets`."""
