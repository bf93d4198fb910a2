"""The scenario with Celery: a worker in a process of its own, retries, chains, results and remote control.

Exchanges, consuming and acknowledging are the worker's, so each line stands for what Celery does in that place.
"""

# mypy: disable-error-code="untyped-decorator"

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery, Task, chain
from celery.exceptions import Reject
from kombu import Connection, Exchange, Queue, pools

URL, PREFIX = os.environ["AMQP_URL"], os.environ["PREFIX"]
EXCHANGE, QUEUE, DEAD = f"{PREFIX}.x", f"{PREFIX}.q", f"{PREFIX}.dead"
GRAVE = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": DEAD}
WORKER = f"worker@{PREFIX}"
SECONDS = 120


def application() -> Celery:
    """An application with a queue for its results, which does not outlive the broker."""
    app = Celery("with_celery", broker=URL, backend="rpc://")
    app.conf.task_queues = [Queue(QUEUE, Exchange(EXCHANGE, "topic"), "a.#", queue_arguments=GRAVE)]
    app.conf.task_default_queue = QUEUE
    app.conf.task_default_exchange = EXCHANGE
    app.conf.task_default_routing_key = "a.b"
    app.conf.task_acks_late = True
    app.conf.broker_transport_options = {"confirm_publish": True}
    app.conf.broker_connection_retry_on_startup = True
    return app


app = application()
collection: list[Any] = []


@app.task
def add(left: int, right: int) -> int:
    """Returns the sum."""
    return left + right


@app.task
def echo(value: Any) -> Any:
    """Returns what it is given."""
    return value


@app.task(bind=True)
def header(self: Task, name: str) -> Any:
    """Returns a header of its message."""
    return self.request.headers[name]


@app.task(bind=True, max_retries=2)
def fail_twice(self: Task) -> int:
    """Raises at the first two attempts; returns the number of the third."""
    if self.request.retries < self.max_retries:
        raise self.retry(countdown=0)
    return int(self.request.retries) + 1


@app.task(bind=True)
def refuse(self: Task) -> None:
    """Puts its message back at first, and refuses it when it comes again."""
    raise Reject("refused", requeue=not self.request.delivery_info["redelivered"])


@app.task(ignore_result=True)
def collect(value: Any) -> None:
    """Keeps what it is given."""
    collection.append(value)


@app.task
def collected() -> list[Any]:
    """Returns what was kept, and keeps it no more."""
    found = collection.copy()
    collection.clear()
    return found


@contextmanager
def worker() -> Iterator[subprocess.Popen[bytes]]:
    """A running worker that takes one task at a time; it is killed if it does not end by itself."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "celery",
        "--app",
        "with_celery",
        "--quiet",
        "worker",
        "--hostname",
        WORKER,
    ]
    command += ["--pool", "solo", "--concurrency", "1", "--prefetch-multiplier", "5", "--loglevel", "CRITICAL"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    process = subprocess.Popen(  # noqa: S603 - a command of its own
        command, cwd=Path(__file__).parent, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        yield process
        process.wait(SECONDS)
    finally:
        process.kill()
        process.wait()


def await_worker(app: Celery) -> None:
    """Returns once the worker answers."""
    while not app.control.ping([WORKER], timeout=0.5, limit=1):
        time.sleep(0.05)


def expect(expected: Any, found: Any) -> None:
    """Ends the program unless both are equal."""
    if expected != found:
        raise RuntimeError(f"{found!r} instead of {expected!r}")


def returned(exception: Any, exchange: str, routing_key: str, message: Any) -> None:
    """Prints why a message came back."""
    del exchange, routing_key, message
    print("returned", exception.reply_code, exception.reply_text, flush=True)


def publish() -> None:
    """Has a hundred tasks done, and sends one that no queue takes."""
    results = [add.delay(n, n) for n in range(100)]
    expect([2 * n for n in range(100)], [result.get(SECONDS) for result in results])
    print("confirmed 100", flush=True)
    with app.connection_for_write() as connection:
        producer = connection.Producer(on_return=returned)
        echo.apply_async(("lost",), exchange=EXCHANGE, routing_key="nowhere", mandatory=True, producer=producer)


def count() -> None:
    """Has the worker tell what it holds at most, and what it has done."""
    stats = app.control.inspect([WORKER], timeout=SECONDS, limit=1).stats()[WORKER]
    print("prefetch", stats["prefetch_count"], flush=True)
    print("acked", stats["total"]["with_celery.add"], flush=True)


def dead_letters() -> None:
    """Sends a task that is put back once and then refused."""
    with app.connection_for_write() as connection:
        grave = Queue(DEAD)(connection.default_channel)
        grave.declare()
        refuse.delay()
        while (message := grave.get(no_ack=True)) is None:
            time.sleep(0.01)
        print("redelivered", flush=True)
        print("dead", message.headers["x-death"][0]["reason"], flush=True)


def results() -> None:
    """Has tasks answer: in capitals, at the third attempt, one after the other, with headers, at length."""
    expect(3, fail_twice.delay().get(SECONDS))
    expect(31, chain(add.s(1, 10), add.s(20)).delay().get(SECONDS))
    print("reply", echo.delay("question").get(SECONDS).upper(), flush=True)
    mark = {"true": True, "large": 2**40, "double": 1.5, "text": "grüße", "none": None, "array": [1, "two", [-3]]}
    expect(mark, header.apply_async(("mark",), headers={"mark": mark}).get(SECONDS))
    print("headers equal", flush=True)
    large = "0123456789abcdef" * 2**16
    expect(large, echo.delay(large).get(SECONDS))
    print("large", len(large), "equal", flush=True)


def missing() -> None:
    """Asks for a queue that is not there, which costs a channel."""
    with app.connection_for_write() as connection:
        try:
            connection.default_channel.queue_declare(f"{PREFIX}.missing", passive=True)
        except connection.channel_errors as closed:
            print("missing", closed.code, flush=True)


def volume() -> None:
    """Sends ten thousand tasks and checks that all of them were done in order."""
    with Connection(URL) as connection:  # without confirms, for each of which it would wait
        producer = connection.Producer()
        for n in range(10_000):
            collect.apply_async((n,), producer=producer)
    expect(list(range(10_000)), collected.delay().get(SECONDS))
    print("messages 10000 in order", flush=True)


def cancel() -> None:
    """Has the worker take no more tasks; it answers before it has cancelled, so the queue is asked."""
    app.control.cancel_consumer(QUEUE, reply=True, timeout=SECONDS, limit=1)
    with app.connection_for_write() as connection:
        while connection.default_channel.queue_declare(QUEUE, passive=True).consumer_count > 0:
            time.sleep(0.01)


def recover(after: Celery) -> None:
    """Has the worker take what it was kept from before the restart."""
    await_worker(after)
    after.control.add_consumer(QUEUE, reply=True, timeout=SECONDS, limit=1)
    print("recovered", *after.send_task("with_celery.collected").get(SECONDS), flush=True)


def main() -> None:
    """Walks the scenario."""
    with worker():
        await_worker(app)
        print("topology", flush=True)
        publish()
        count()
        dead_letters()
        results()
        missing()
        volume()
        cancel()
        collect.delay("survivor")
        print("restart", flush=True)
        sys.stdin.readline()
        pools.reset()
        after = application()
        recover(after)
        after.control.shutdown([WORKER])
    with after.connection_for_write() as connection:
        channel = connection.default_channel
        channel.exchange_delete(EXCHANGE)
        for queue in (QUEUE, DEAD):
            channel.queue_delete(queue)
    print("done", flush=True)


if __name__ == "__main__":
    main()
