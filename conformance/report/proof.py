"""How much of the suite is proven, as Markdown."""

from conformance.catalogue import Case
from conformance.mutation.proof import PROVEN


def proof(cases: list[Case], verdicts: dict[str, str]) -> str:
    """The share of cases that were proven, then those that were not, each with what happened."""
    found = list(verdicts.values())
    share = 100 * found.count(PROVEN) / len(cases)
    told = f"{found.count(PROVEN)} of {len(cases)} cases ({share:.1f} %) fail when the broker lies."
    rest = [case for case in cases if verdicts.get(case.id) != PROVEN]
    lines = [f"| `{case.id}` | {_why(verdicts.get(case.id))} | {case.title} |" for case in rest]
    return "\n".join([told, *(["", "| case | not proven because | rule |", "|---|---|---|"] if lines else []), *lines]) + "\n"


def _why(verdict: str | None) -> str:
    match verdict:
        case "survived":
            return "it passes all lies"
        case "unjudged":
            return "it does not pass behind an honest proxy"
        case _:
            return "proxies cannot lie for it"
