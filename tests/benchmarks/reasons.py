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
    "An empty broker takes 0.83 % here (50 ticks in 60 s) for its watches of memory, disk, connections and the loop; the "
    "figure comes in steps of 0.33 %"
)

REASONS: Final[dict[str, Reason]] = {
    **{f"1,000,000 messages wait for their deadlines ({kind}): CPU": Reason(f"{WATCHES}.") for kind in KINDS},
    "1,000,000 messages drained while publishing goes on": Reason(
        "The machine gave half of what it gave on another day: 217,000 a second were drained then, and `back` took in 451,000."
    ),
    "`sync1`": Reason(
        "Each confirm waits for a synced write of its own to the write-ahead log (`docs/decisions/0009-write-ahead-log.md`), "
        "and for two threads that hand the message over, with six waits for each other (`strace -c -f`). RabbitMQ confirms "
        "without syncing. A message costs 84 µs of the program and 58 µs of the kernel; the commit's way back through asyncio "
        "is the next thing to cut.",
        "the broker while messages are confirmed one at a time (`perf record -F 999 -g -p PID`)",
        {
            "`libpython`: the interpreter and its objects, for asyncio's loop and the committer, which are not compiled": 0.42,
            "the kernel: writing and syncing a block, sockets, waking threads": 0.38,
            "amqpd's compiled modules": 0.10,
            "`libc`: memory, locks": 0.07,
        },
    ),
    "`lat`, p50": Reason(f"{WAKING}."),
    "`lat`, p99": Reason(f"{WAKING}."),
    "`latd`, p50": Reason(f"{WAKING}. The thread that commits takes turns with the loop for the interpreter's lock."),
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
