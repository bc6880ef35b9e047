"""How far a sequence gets for one contact, and what is in its way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from segdsl.analysis.outlook import Outlook
from segdsl.analysis.witnesses import Kept, Witnesses
from segdsl.analysis.wording import clock, length, moment
from segdsl.core import nodes as core


def variants(chain: core.Chain) -> Iterator[core.Chain]:
    """What `Steps` asks of a chain beside itself."""
    for count in range(1, len(chain.steps) + 1):
        yield _first(chain, count)
    yield replace(chain, waits=(), total=None)
    yield replace(chain, waits=(), without=None)
    yield replace(chain, waits=())


def _first(chain: core.Chain, count: int) -> core.Chain:
    """The first steps alone, with nothing forbidden."""
    steps = tuple(replace(step, forbidden=()) for step in chain.steps[:count])
    return replace(chain, steps=steps, waits=(), total=None, without=None)


class Steps:
    """One chain and one contact, at the outlook's `now`."""

    def __init__(self, chain: core.Chain, outlook: Outlook, witnesses: Witnesses) -> None:
        self.chain = chain
        self.outlook = outlook
        self.witnesses = witnesses
        self.window = witnesses.window(chain.span)

    def found(self) -> tuple[str, str, list[Kept]]:
        """What was found, nothing missing, and the events."""
        path = self._path(self.chain)
        assert path is not None
        told = "this sequence was found" if len(path) > 1 else "this event was found"
        for wait in self.chain.waits:
            told += f", and no {self.witnesses.names(wait.forbidden)} behind it"
        return told, "", self.witnesses.of_path(self.chain, path)

    def lacking(self, change: int | None) -> tuple[str, str, list[Kept]]:
        """How far it gets, what is missing, and the events that there are. `change`: when it comes true by itself."""
        chain, names = self.chain, self.witnesses.names
        paths = [self._path(_first(chain, count)) for count in range(1, len(chain.steps) + 1)]
        reached = sum(path is not None for path in paths)
        if reached < len(chain.steps):
            step = chain.steps[reached]
            within = f" within {length(step.within)} of it" if step.within is not None and reached else ""
            missing = f"{names(step.branches)}{within}"
            told = f"{reached} of {len(chain.steps)} steps"
            path = paths[reached - 1] if reached else None
            return told, missing, [] if path is None else self.witnesses.of_path(chain, path)
        whole = paths[-1]
        assert whole is not None
        # With the waits left out: what else is in the way, if anything.
        if (path := self._path(replace(chain, waits=()))) is not None:
            return self._waiting(path, change)
        events = self.witnesses.of_path(chain, whole)
        if chain.without is not None and self._path(replace(chain, waits=(), without=None)) is not None:
            return "all steps happened, and with them what must not", f"no {names(chain.without.branches)}", events
        if chain.total is not None and self._path(replace(chain, waits=(), total=None)) is not None:
            return "all steps happened, too far apart", f"all within {length(chain.total)}", events
        forbidden = [branch for step in chain.steps for branch in step.forbidden]
        missing = f"no {names(forbidden)} between the steps" if forbidden else "steps that fit together"
        return "all steps happened, and between them what must not", missing, events

    def _waiting(self, path: Sequence[int], change: int | None) -> tuple[str, str, list[Kept]]:
        chain, witnesses = self.chain, self.witnesses
        events = witnesses.of_path(chain, path)
        names = " and no ".join(witnesses.names(wait.forbidden) for wait in chain.waits)
        if change is not None:
            at = clock(moment(change, witnesses.zone))
            return "all steps happened, the wait is not over", f"no {names} until {at}", events
        came = witnesses.events([b for wait in chain.waits for b in wait.forbidden], path[-1], self.outlook.now)
        return "all steps happened, and then what must not", f"no {names} behind the last step", [*events, *came[:1]]

    def _path(self, chain: core.Chain) -> tuple[int, ...] | None:
        if self.window is None:
            return None
        number, _ = self.outlook.probe.compiled.chain(chain)
        return self.outlook.index.chain(number, self.outlook.now, *self.window)
