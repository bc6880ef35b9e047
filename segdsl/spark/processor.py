"""A contact's lines and timer in Spark's state, and an evaluator that takes them up when it is asked."""

from __future__ import annotations

import json
import pickle
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from secrets import token_hex
from typing import Any

from pyspark.sql import Row
from pyspark.sql.streaming.stateful_processor import StatefulProcessor, StatefulProcessorHandle

from segdsl.spark.reading import NOBODY
from segdsl.stream.alone import Alone
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Flip
from segdsl.stream.reading import parse, read
from segdsl.text.diagnostic import Diagnostic, Errors

COLUMNS = "at BIGINT, segment STRING, contact STRING, change STRING, line STRING, reason STRING"
FORM = 1  # of what follows
# token: changes whenever the state does. inside: segments, as JSON. timer: in milliseconds; 0: none.
ABOUT = "form INT, token STRING, clock BIGINT, inside STRING, timer BIGINT, needed INT"
LINE = "at BIGINT, line STRING"
ROOM = 200_000  # lines of contacts that a worker has at hand


class Processor(StatefulProcessor):
    """Keyed by contact. What is in the state is enough; what a worker has at hand only saves reading it."""

    def __init__(self, rules: bytes) -> None:
        """rules: the pickled pair of catalog and program, compiled where they are needed."""
        self._rules = rules

    def init(self, handle: StatefulProcessorHandle) -> None:
        self._handle = handle
        self._about = handle.getValueState("about", ABOUT)
        self._lines = handle.getListState("lines", LINE)

    # Spark calls these two by their names, with arguments by theirs.

    def handleInputRows(self, key: Any, rows: Iterator[Any], timerValues: Any) -> Iterator[Row]:  # noqa: N802, N803
        [name] = key
        if name == NOBODY:
            yield from self._nobodys(row["value"] for row in rows)
            return
        # Spark keeps no order among the rows of a key; those without a time are of the time that it then is.
        news = sorted(rows, key=lambda row: (row["at"] is None, row["at"], row["place"] or 0, row["value"]))
        found = self._found(timerValues)
        flips = found.resumed + _advance(found.contact, found.watermark)
        told = found.contact.take([row["value"] for row in news], timerValues.getCurrentProcessingTimeInMs() * 1000)
        self._save(found)
        for flip in flips + told.flips:
            yield _change(flip, json.loads(name))
        for text, reason in told.refused:
            yield _refused(text, reason)

    def handleExpiredTimer(self, key: Any, timerValues: Any, expiredTimerInfo: Any) -> Iterator[Row]:  # noqa: N802, N803
        [name] = key
        found = self._found(timerValues)
        flips = found.resumed + _advance(found.contact, found.watermark)
        found.timer = 0  # Spark takes it away itself
        self._save(found)
        for flip in flips:
            yield _change(flip, json.loads(name))

    # --- the state -----------------------------------------------------------------------------------------------

    def _found(self, timers: Any) -> Found:
        watermark = max(timers.getCurrentWatermarkInMs(), 0) * 1000
        about = self._about.get()
        if about is None:
            return Found(Alone(_compiled(self._rules)), watermark)
        form, token, clock, inside, timer, needed = about
        if form > FORM:
            help = "give the workers the segdsl that wrote it, or a later one; or begin with a new checkpoint"
            raise Errors([Diagnostic("SEG0754", "the checkpoint is of a newer segdsl", help=help)])
        contact = _AT_HAND.take((self._rules, token))
        if contact is not None:
            return Found(contact, watermark, timer)
        kept = [(at, line) for at, line in self._lines.get()]
        contact = Alone(_compiled(self._rules), clock, kept, needed)
        # Where rules have changed meanwhile, the differences are changes at the contact's own time.
        before, after = json.loads(inside), contact.inside
        changed = [(segment, False) for segment in before if segment not in after]
        changed += [(segment, True) for segment in after if segment not in before]
        resumed = [Flip(clock, segment, "", entered) for segment, entered in changed]
        return Found(contact, watermark, timer, resumed)

    def _save(self, found: Found) -> None:
        contact = found.contact
        if contact.clock is None:  # no line could be read, and there was none before
            return
        contact.thin()
        # Of a contact that is gone the clock stays until it is everybody's.
        due = contact.due if contact.kept else contact.clock
        if not contact.kept and contact.clock <= found.watermark:
            due = None
        timer = 0 if due is None else max(-(-due // 1000), 1)  # no earlier than the instant, in milliseconds
        self._arm(found.timer, timer)
        if not contact.kept and due is None:
            self._about.clear()
            self._lines.clear()
            return
        self._keep(contact)
        token = token_hex(8)
        self._about.update((FORM, token, contact.clock, json.dumps(contact.inside), timer, contact.needed))
        _AT_HAND.put((self._rules, token), contact)

    def _keep(self, contact: Alone) -> None:
        if contact.fresh is None:
            self._lines.clear()
        new = contact.kept if contact.fresh is None else contact.kept[len(contact.kept) - contact.fresh :]
        if new:
            self._lines.appendList(list(new))
        contact.fresh = 0

    def _arm(self, old: int, new: int) -> None:
        if old != new:
            if old:
                self._handle.deleteTimer(old)
            if new:
                self._handle.registerTimer(new)

    def _nobodys(self, texts: Iterable[str | None]) -> Iterator[Row]:
        """What is said of no contact: the time, which moved the watermark, and what cannot be read."""
        for text in texts:
            try:
                if text is None:
                    raise ValueError("it is null")
                read(parse(text), _compiled(self._rules).catalog)
            except ValueError as error:
                yield _refused(text, str(error))


@dataclass
class Found:
    """A contact out of the state. watermark: in microseconds; 0: none yet. resumed: what other rules change in it."""

    contact: Alone
    watermark: int
    timer: int = 0
    resumed: list[Flip] = field(default_factory=list)


class _AtHand:
    """Contacts that this worker had last, by their rules and the token of their state: no other state has it."""

    def __init__(self) -> None:
        self._contacts: OrderedDict[tuple[bytes, str], Alone] = OrderedDict()
        self._lines = 0

    def take(self, key: tuple[bytes, str]) -> Alone | None:
        found = self._contacts.pop(key, None)
        if found is not None:
            self._lines -= len(found.kept)
        return found

    def put(self, key: tuple[bytes, str], contact: Alone) -> None:
        self._contacts[key] = contact
        self._lines += len(contact.kept)
        while self._lines > ROOM:
            self._lines -= len(self._contacts.popitem(last=False)[1].kept)


_AT_HAND = _AtHand()


@lru_cache(maxsize=4)
def _compiled(rules: bytes) -> Evaluator:
    return Evaluator(*pickle.loads(rules))


def _advance(contact: Alone, watermark: int) -> list[Flip]:
    return contact.advance(watermark) if watermark else []


def _change(flip: Flip, contact: str | int) -> Row:
    return Row(
        at=flip.at, segment=flip.segment, contact=str(contact), change=flip.change, line=None, reason=None
    )  # fmt: skip


def _refused(text: str | None, reason: str) -> Row:
    return Row(at=None, segment=None, contact=None, change="refused", line=text, reason=reason)
