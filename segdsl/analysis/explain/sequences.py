"""How far a sequence gets for one contact, and what is in its way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from segdsl.analysis.explain.witnesses import Kept, Witnesses
from segdsl.analysis.explain.wording import clock, length
from segdsl.analysis.outlook.outlook import Outlook
from segdsl.core import nodes as core
from segdsl.core.time import to_zoned

Told = tuple[str, str, list[Kept]]  # what there is, what is missing, and the events


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

    def found(self) -> Told:
        """A chain that fits."""
        path = self._path(self.chain)
        assert path is not None
        told = "this sequence was found" if len(path) > 1 else "this event was found"
        for wait in self.chain.waits:
            told += f", and no {wait.words} {self._until(wait)}"
        return told, "", self.witnesses.of_path(self.chain, path)

    def lacking(self, change: int | None) -> Told:
        """How far it gets. `change`: when the sequence comes true by itself, if it does."""
        chain = self.chain
        paths = [self._path(_first(chain, count)) for count in range(1, len(chain.steps) + 1)]
        reached = sum(path is not None for path in paths)
        if reached < len(chain.steps):
            step, path = chain.steps[reached], paths[reached - 1] if reached else None
            within = f" within {length(step.within)}" if step.within is not None else ""
            events = [] if path is None else self.witnesses.of_path(chain, path)
            return f"{reached} of {len(chain.steps)} steps", f"{step.words}{within}", events
        if change is not None:
            path = self._path(chain, change)
            if path is not None and chain.waits:
                until = f"no {' and no '.join(wait.words for wait in chain.waits)} before {self._clock(change)}"
                return "the wait is not over", until, self.witnesses.of_path(chain, path)
        # With the waits left out: what else is in the way, if anything.
        path = self._path(replace(chain, waits=()))
        if path is not None:
            events = self.witnesses.of_path(chain, path)
            forbidden = [branch for wait in chain.waits for branch in wait.forbidden]
            came = self.witnesses.events(forbidden, path[-1], self.outlook.now)
            missing = f"no {' and no '.join(wait.words for wait in chain.waits)} behind it"
            return "all steps happened, and then what must not", missing, [*events, *came[:1]]
        path = paths[-1]
        assert path is not None
        return (*self._in_the_way(), self.witnesses.of_path(chain, path))

    def _in_the_way(self) -> tuple[str, str]:
        """Why steps that happened in this order are no chain."""
        chain = self.chain
        if chain.without is not None and self._path(replace(chain, waits=(), without=None)) is not None:
            place = chain.without.place
            where = {"between": " between", "ever": " at all"}.get(str(place))
            where = f" within {length(place)} before" if isinstance(place, int) else where
            return "all steps happened, and with them what must not", f"no {chain.without.words}{where}"
        if chain.total is not None and self._path(replace(chain, waits=(), total=None)) is not None:
            return "all steps happened, too far apart", f"all within {length(chain.total)}"
        if any(step.forbidden for step in chain.steps):
            return "all steps happened, and between them what must not", "steps with nothing forbidden between"
        return "all steps happened, and no chain of them fits all that is asked", ""

    def _until(self, wait: core.Wait) -> str:
        if wait.within is not None:
            return f"within {length(wait.within)} after it"
        return "up to now" if self.chain.total is None else f"within {length(self.chain.total)} after its beginning"

    def _clock(self, instant: int) -> str:
        return clock(to_zoned(instant, self.witnesses.zone))

    def _path(self, chain: core.Chain, at: int | None = None) -> tuple[int, ...] | None:
        """The instants of a chain that fits at an instant (None: at now)."""
        window = self.witnesses.window(chain.span, at)
        if window is None:
            return None
        number, _ = self.outlook.probe.compiled.chain(chain)
        return self.outlook.index.chain(number, self.outlook.now if at is None else at, *window)
