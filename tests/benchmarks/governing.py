"""A policy that many queues have to obey."""

import http.client
import json
import time
from base64 import b64encode
from typing import Any, Final

from benchmarks import loadgen
from benchmarks.client import DELETE_OK_SIZE, Client, declare_ok_size, declare_queue, delete_queue
from benchmarks.contestants import Contestant, Failed
from benchmarks.objects import queue_name
from benchmarks.results import Figures
from benchmarks.workload import Measured, scaled

QUEUES: Final = 10_000
POLICY: Final = "bench-policy"
PATH: Final = f"/api/policies/%2F/{POLICY}"
BODY: Final = {"pattern": "^bench-queue-", "definition": {"max-length": 1000}, "apply-to": "queues"}
CHANGES: Final = {"PUT": "set", "DELETE": "cleared"}
LISTING: Final = "/api/queues/%2F?columns=name,policy"
FLOW: Final = "pair --size 100 --rate 1000 --count 8000"
"""Eight seconds of traffic through another queue."""
LATEST_SECONDS: Final = 60.0


def governing(contestant: Contestant, scale: float) -> Measured:
    """The policy is set and cleared twice: while other messages flow, and while all queues are looked at."""
    count = scaled(QUEUES, scale)
    contestant.renew()
    client = Client(contestant)
    names = [queue_name(number) for number in range(count)]
    client.pipeline([declare_queue(name, durable=True) for name in names], declare_ok_size(names[0]))
    disturbed = [disturbance(contestant, verb) for verb in CHANGES]
    for (verb, point), figures in zip(CHANGES.items(), disturbed, strict=True):
        yield "policies", point, {"effect_ms": effect(contestant, verb, count), **figures}
    client.pipeline([delete_queue(name) for name in names], DELETE_OK_SIZE)
    client.close()


def disturbance(contestant: Contestant, verb: str) -> Figures:
    """How long the answer to a change takes, and how long other messages are held up by it."""
    flow = loadgen.begin(contestant, FLOW)
    time.sleep(2)
    before = time.monotonic()
    change(contestant, verb)
    answered = time.monotonic()
    latency = loadgen.end(flow)["sub"]
    return {
        "answer_ms": (answered - before) * 1000,
        "p99_ms": float(latency["p99_ms"]),
        "max_ms": float(latency["max_ms"]),
    }


def effect(contestant: Contestant, verb: str, count: int) -> float:
    """Milliseconds until all queues show the change, one look at them included."""
    before = time.monotonic()
    change(contestant, verb)
    policy = POLICY if verb == "PUT" else None
    while sum(queue.get("policy") == policy for queue in listed(contestant)) < count:
        if time.monotonic() > before + LATEST_SECONDS:
            raise Failed("queues do not obey")
    return (time.monotonic() - before) * 1000


def change(contestant: Contestant, verb: str) -> None:
    """Set the policy, or clear it."""
    call(contestant, verb, PATH, BODY if verb == "PUT" else None)


def listed(contestant: Contestant) -> list[dict[str, Any]]:
    """All queues with their policies."""
    found: list[dict[str, Any]] = call(contestant, "GET", LISTING)
    return [queue for queue in found if queue["name"].startswith("bench-queue-")]


def call(contestant: Contestant, verb: str, path: str, body: object = None) -> Any:  # noqa: ANN401
    """The answer of the management API; Failed if it refuses."""
    connection = http.client.HTTPConnection(*contestant.management, timeout=LATEST_SECONDS)
    login = b64encode(b"guest:guest").decode()
    connection.request(verb, path, json.dumps(body) if body is not None else None, {"Authorization": f"Basic {login}"})
    answer = connection.getresponse()
    data = answer.read()
    connection.close()
    if answer.status >= 300:
        raise Failed(f"{verb} {path}: {answer.status} {data[:200]!r}")
    return json.loads(data) if data else None
