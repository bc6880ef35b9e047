"""When an answer changes with nothing new happening: exact to the microsecond, or never.

"Nothing new" means: the events, changes and attributes that there are at `now`, and none besides. What changes then
is only what windows hold, which waits are over, and which dates lie ahead.
"""

from __future__ import annotations

from segdsl.analysis.outlook import Outlook
from segdsl.analysis.probe import Probe
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.time import LAST, MICROSECONDS

HOUR = MICROSECONDS["h"]


def next_change(program: core.Program, segment: str, facts: Facts, now: int) -> int | None:
    """The first instant after `now` at which the answer for a contact is another than at `now`; None if there is none.

    now: microseconds since 1970-01-01 UTC, as is the result. Nothing changes after the year 9999.
    Raises KeyError if the program has no such segment. For many contacts make one `Probe` and use `flips`.
    """
    rule = program.segments[segment].rule
    return flips(Outlook(Probe(program, [rule]), facts, now), rule)


def flips(outlook: Outlook, rule: core.Rule) -> int | None:
    """The first instant after the outlook's `now` at which a rule's answer is another one, or None.

    rule: a root or leaf of the outlook's probe, or made of leaves.
    """
    answer, now = outlook.answer(rule), outlook.now
    outlook.prepare(now, now)
    current = answer(now, now)
    assert current is not None, "at one instant everything is told"
    waiting = [(now + 1, LAST)] if now < LAST else []
    while waiting:
        first, last = waiting.pop()
        outlook.prepare(first, last)
        found = answer(first, last)
        if found is current:
            continue
        if found is not None:  # the other answer throughout, and the one that is was so up to here
            return first
        # Changes come soon or late: what is close to now is looked at closely.
        middle = min((first + last) // 2, first + max(first - now, HOUR))
        waiting += ((middle + 1, last), (first, middle))
    return None
