"""The Celery application that test_celery runs in a worker process. AMQP_URL names its broker."""

import os

from celery import Celery, Task

app = Celery("tasks", broker=os.environ["AMQP_URL"], backend="rpc://")
app.conf.task_acks_late = True
app.conf.broker_transport_options = {"confirm_publish": True}


@app.task
def add(left: int, right: int) -> int:
    """Return the sum."""
    return left + right


@app.task(bind=True, max_retries=2)
def fail_twice(self: Task) -> int:
    """Raise at the first two attempts; return the number of the third."""
    if self.request.retries < self.max_retries:
        raise self.retry(countdown=0)
    return self.request.retries + 1
