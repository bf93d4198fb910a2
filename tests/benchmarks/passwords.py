"""Whether the time of a password check tells anything: medians for right and wrong passwords, and for nobody's."""

import random
import statistics
import time

from amqpd.broker import passwords
from amqpd.broker.users import User, Users

ROUNDS = 20_000
CASES = {
    "right": ("alice", "correct horse"),
    "wrong in the last letter": ("alice", "correct horsf"),
    "wrong in the first letter": ("alice", "korrect horse"),
    "unknown user": ("mallory", "correct horse"),
}


def main() -> None:
    """Measure each case, in random order, and print its median in microseconds."""
    users = Users()
    users.by_name["alice"] = User("alice", passwords.hash_password("correct horse"), passwords.SHA256, ())
    taken: dict[str, list[int]] = {case: [] for case in CASES}
    for _ in range(ROUNDS):
        for case in random.sample(list(CASES), len(CASES)):
            started = time.perf_counter_ns()
            users.verify(*CASES[case])
            taken[case].append(time.perf_counter_ns() - started)
    for case, times in taken.items():
        print(f"{case}: {statistics.median(times) / 1000:.2f} µs")  # noqa: T201 - its result


if __name__ == "__main__":
    main()
