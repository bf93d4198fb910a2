"""Every kind of load under which a broker may end."""

from typing import Final

from helpers.afterlives import DeadLetters, Delays, Expiry
from helpers.backlogs import Backlogs
from helpers.governed import Imports, PolicyChanges
from helpers.workloads import ByName, Definitions, Fanout, Priorities, Purges, Topic, Transactions, Workload

WORKLOADS: Final[tuple[type[Workload], ...]] = (
    *(ByName, Fanout, Topic, Priorities, Transactions, Purges, Definitions),
    *(DeadLetters, Expiry, Delays, PolicyChanges, Imports, Backlogs),
)
