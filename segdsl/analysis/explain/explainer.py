"""Why a contact is in a segment or not: the tree of the rule's parts (`segdsl.analysis.explain.explanation`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter

from segdsl.analysis.explain.explanation import Explanation, Op, Reason, Witness
from segdsl.analysis.explain.sequences import Steps, variants
from segdsl.analysis.explain.thresholds import Threshold, until
from segdsl.analysis.explain.witnesses import Kept, Witnesses
from segdsl.analysis.explain.wording import ago, clock, plain, text
from segdsl.analysis.outlook.next_change import flips
from segdsl.analysis.outlook.outlook import Outlook
from segdsl.analysis.outlook.probe import Probe
from segdsl.backends.python.runtime import drawn
from segdsl.catalog.model import Catalog
from segdsl.core import nodes as core
from segdsl.core.contact import Facts
from segdsl.core.program import Program, nodes_of
from segdsl.core.time import Span, to_zoned
from segdsl.core.walking import children, walk
from segdsl.types import Number

MOST_DEEP = 20  # segments inside segments whose parts are told
MOST_PERIODS = 12  # of a regularity, that are told one by one
Told = core.Attribute | core.Held | core.Measure | core.ScoreOf | core.Points


@dataclass
class _Finding:
    """What is known of one test, as it is gathered."""

    found: list[str] = field(default_factory=list)
    missing: str = ""
    before: int | None = None
    witness: list[Witness] = field(default_factory=list)
    more: int = 0
    parts: list[Reason] = field(default_factory=list)
    kept: dict[int, Kept] = field(default_factory=dict)  # the events behind its measures, each once

    def keep(self, events: Sequence[Kept]) -> None:
        self.kept |= {id(each[2]): each for each in events}


class Explainer:
    """Explains one segment of a program for any contact. Made once for a rule."""

    def __init__(self, catalog: Catalog, program: Program, segment: str) -> None:
        self.catalog = catalog
        self.segment = program.segments[segment]
        roots = [self.segment.rule]
        every = nodes_of(program, roots)
        chains = [node for node in every if isinstance(node, core.Chain)]
        asked = [node.anchor for node in every if isinstance(node, core.Anchored)]
        asked = [node for node in asked if not isinstance(node, core.Attribute | core.Property | core.PeriodOf)]
        asked += [node for node in every if isinstance(node, core.Points | core.ScoreOf | core.Held)]
        asked += [award.per for node in every if isinstance(node, core.Points) for award in node.awards if award.per]
        self.probe = Probe(program, roots, [each for chain in chains for each in variants(chain)], asked)

    def explain(self, facts: Facts, now: int) -> Explanation:
        """The explanation for a contact at an instant (microseconds since 1970-01-01 UTC)."""
        segment, zone = self.segment, self.catalog.timezone
        tree = _Tree(self.catalog, Outlook(self.probe, facts, now))
        reason = tree.rule(segment.rule, segment.outline, segment.words)
        return Explanation(
            segment.name, segment.title, segment.words, facts.id, to_zoned(now, zone), reason.holds, reason.next_change,
            reason,
        )  # fmt: skip

    def next_change(self, facts: Facts, now: int) -> int | None:
        """The first instant after `now` at which the answer flips with nothing new happening."""
        return flips(Outlook(self.probe, facts, now), self.segment.rule)


class _Tree:
    """One explanation in the making."""

    def __init__(self, catalog: Catalog, outlook: Outlook) -> None:
        self.catalog = catalog
        self.outlook = outlook
        self.zone = catalog.timezone
        self.witnesses = Witnesses(catalog, outlook)
        self._changes: dict[int, int | None] = {}
        self._depth = 0
        self.told: set[str] = set()  # segments and scores whose parts stand in the tree already

    def rule(self, rule: core.Rule, outline: core.Part | None, words: str, wanted: bool = True) -> Reason:
        """The reason of a rule, by its parts as they were written; `wanted`: it stands under no `not`, or under two."""
        if outline is not None and outline.op != "test":
            wanted = wanted != (outline.op == "not")
            parts = [self.rule(part.rule, part, part.words, wanted) for part in outline.parts]
            return self._reason(outline.op, words, rule, _Finding(parts=parts))
        return self._reason("test", words, rule, self._test(rule, self.holds(rule), wanted))

    def holds(self, rule: core.Rule) -> bool:
        now = self.outlook.now
        self.outlook.prepare(now, now)
        answer = self.outlook.answer(rule)(now, now)
        assert answer is not None, "at one instant everything is told"
        return answer

    def _reason(self, op: Op, words: str, rule: core.Rule, finding: _Finding) -> Reason:
        return Reason(
            op, words, self.holds(rule), "; ".join(finding.found), finding.missing, self._moment(finding.before), None,
            tuple(finding.witness), finding.more, self._moment(self._change(rule)), tuple(finding.parts),
        )  # fmt: skip

    def _change(self, rule: core.Rule) -> int | None:
        while isinstance(rule, core.InSegment):  # it changes when the segment does
            rule = self.outlook.probe.program.segments[rule.name].rule
        if id(rule) not in self._changes:
            self._changes[id(rule)] = flips(self.outlook, rule)
        return self._changes[id(rule)]

    def _moment(self, instant: int | None) -> datetime | None:
        return None if instant is None else to_zoned(instant, self.zone)

    # --- tests ------------------------------------------------------------------------------------------------

    def _test(self, rule: core.Rule, holds: bool, wanted: bool = True) -> _Finding:
        finding = self._finding(rule, holds, wanted)
        self._show(finding)
        return finding

    def _show(self, finding: _Finding) -> None:
        """The latest of the events that were kept."""
        witness, finding.more = self.witnesses.shown(sorted(finding.kept.values(), key=itemgetter(0)))
        finding.witness += witness

    def _finding(self, rule: core.Rule, holds: bool, wanted: bool) -> _Finding:
        finding = _Finding()
        threshold = Threshold.of(rule)
        if threshold is not None:
            self._counted(finding, threshold, holds, wanted)
            return finding
        for node in _subjects(rule):
            match node:
                case core.InSegment():
                    finding.parts += self._segment(node.name, wanted)
                case core.InList():
                    listed = node.name in self.outlook.index.lists
                    finding.found.append("on the list" if listed else "not on the list")
                case core.InSample():
                    share = 100 * drawn(self.outlook.index.facts.id, node.salt) / 2**32
                    finding.found.append(f"drawn {share:.4f}%, below {100 * node.threshold / 2**32:.4f}% wanted")
                case core.Chain():
                    self._chain(finding, node, holds, wanted)
                case _:
                    self._value(finding, node)
        return finding

    def _counted(self, finding: _Finding, threshold: Threshold, holds: bool, wanted: bool) -> None:
        """`2 of 3`, the events that count, and how many more are wanted until when."""
        value = threshold.value
        amount = self.witnesses.value(value)
        if isinstance(value, core.Measure):
            kept = self.witnesses.of_measure(value)
            finding.keep(kept)
        else:
            self._value(finding, value)
            finding.found.clear()
        finding.found.append(self._amount(threshold, amount, wanted))
        if isinstance(value, core.Measure) and isinstance(value.events.span, core.Anchored):
            self._anchor(finding, value.events.span)
        if holds or not wanted or threshold.low is None or amount >= threshold.low:
            return
        finding.missing = f"{text(plain(threshold.low - amount, value.type, self.zone))} more"
        if isinstance(value, core.Measure) and threshold.counts:
            counts, finding.before = until(value, [each[0] for each in kept], self.outlook.now, self.witnesses.value)
            if counts == "over":
                finding.missing = "nothing can come: the window is over"
            elif counts == "later":
                finding.missing = ""
            elif finding.before is not None:
                finding.missing += f" before {clock(to_zoned(finding.before, self.zone))}"

    def _amount(self, threshold: Threshold, amount: int, wanted: bool) -> str:
        """`2 of 3`; more than enough, or of what is not wanted, only how much there is."""
        value, low, high = threshold.value, threshold.low, threshold.high

        def shown(number: int) -> str:
            return text(plain(number, value.type, self.zone))

        found = shown(amount)
        if isinstance(value, core.Measure) and value.kind == "count":
            found = f"{found} found" if amount else "none found"
        if not wanted or (low == 1 and high is None and amount):
            return found
        if high == 0:
            return f"{found}, none wanted"
        if low is not None and high is not None:
            return f"{found}, {shown(low)} wanted" if low == high else f"{found}, {shown(low)} to {shown(high)} wanted"
        if high is not None:
            return f"{found}, at most {shown(high)} wanted"
        assert low is not None
        if threshold.above:
            return f"{found}, more than {shown(low - 1)} wanted"
        return f"{shown(amount)} of {shown(low)}" if amount < low else f"{found}, at least {shown(low)} wanted"

    def _value(self, finding: _Finding, node: Told) -> None:
        """A value, and what stands behind it."""
        match node:
            case core.Attribute() | core.Held():
                stored = self.witnesses.stored(node)
                when = ago(node.at) if isinstance(node, core.Held) else ""
                finding.found.append(f"{stored.name} was {text(stored.value)} {when}" if when else str(stored))
                finding.witness.append(stored)
            case core.Measure():
                finding.found += self._measured(node)
                finding.keep(self.witnesses.of_measure(node))
                if isinstance(node.events.span, core.Anchored):
                    self._anchor(finding, node.events.span)
            case core.ScoreOf():
                amount = plain(self.witnesses.value(node), node.type, self.zone)
                finding.found.append(f"{node.name} is {text(amount)}")
                if node.name not in self.told:
                    self.told.add(node.name)
                    finding.parts += self._lines(self.outlook.probe.program.scores[node.name])
            case core.Points():
                finding.found.append(f"{text(plain(self.witnesses.value(node), node.type, self.zone))} in all")
                finding.parts += self._lines(node)

    def _measured(self, node: core.Measure) -> Iterator[str]:
        """`last(visited) is …`; of events that are only counted, how many; nothing of what `has (…)` looks for."""
        value, words = self.witnesses.value(node), " ".join(node.words.split())
        if words.startswith("avg"):  # never divided
            shown = text(plain(value, node.type, self.zone))
            yield f"{shown} values" if node.kind == "count" else f"their sum is {shown}"
        elif node.kind == "count" and not words.startswith("count"):
            yield f"{value} found" if value else "none found"
        elif not words.startswith("has "):
            yield f"{words} is {text(plain(value, node.type, self.zone))}"

    def _anchor(self, finding: _Finding, span: core.Anchored) -> None:
        if isinstance(span.anchor, core.Attribute | core.Held):
            self._value(finding, span.anchor)
        elif isinstance(span.anchor, core.Measure):
            at = self.witnesses.value(span.anchor)
            finding.found.append(f"{span.anchor.words} is {text(plain(at, span.anchor.type, self.zone))}")

    def _segment(self, name: str, wanted: bool) -> Iterator[Reason]:
        """The inner segment's own tree; a second time its answer only."""
        segment = self.outlook.probe.program.segments[name]
        if name not in self.told and self._depth < MOST_DEEP:
            self.told.add(name)
            self._depth += 1
            yield self.rule(segment.rule, segment.outline, segment.words, wanted)
            self._depth -= 1

    def _lines(self, points: core.Points) -> Iterator[Reason]:
        """The lines of a score, or the periods of a regularity."""
        for award in points.awards:
            if award.words:
                yield self._line(award, points.type)
            elif len(points.awards) <= MOST_PERIODS:
                yield self._period(award)

    def _line(self, award: core.Award, type: Number) -> Reason:
        """A line of a score: its points, and what they are given for."""
        now, finding = self.outlook.now, _Finding()
        if award.outline is not None and award.outline.op == "test":
            finding = self._test(award.outline.rule, self.holds(award.outline.rule), award.points > 0)
        elif isinstance(award.per, core.Measure):
            self._value(finding, award.per)
            self._show(finding)
        given = self.outlook.value(core.Points((award,), type))(now, now).low
        return Reason(
            "points", award.words, given != 0, "; ".join(finding.found), "", None, plain(given, type, self.zone),
            tuple(finding.witness), finding.more,
        )  # fmt: skip

    def _period(self, award: core.Award) -> Reason:
        assert award.rule is not None
        measure = next(node for node in walk(award.rule) if isinstance(node, core.Measure))
        span = measure.events.span
        assert isinstance(span, Span)
        lo, hi = span.resolve(self.outlook.now)
        assert lo is not None and hi is not None
        words = f"after {clock(to_zoned(lo, self.zone))}, up to {clock(to_zoned(hi, self.zone))}"
        return self._reason("test", words, award.rule, self._test(award.rule, self.holds(award.rule)))

    def _chain(self, finding: _Finding, chain: core.Chain, holds: bool, wanted: bool) -> None:
        """The chain that was found, or how far one gets, and what is in the way."""
        steps = Steps(chain, self.outlook, self.witnesses)
        path, trouble, events = steps.found() if holds else steps.lacking(self._change(chain))
        finding.found.append(path)
        finding.missing = trouble if wanted else ""
        finding.witness += [self.witnesses.worded(kept) for kept in events]


def _subjects(
    node: core.Rule | core.Value,
) -> Iterator[Told | core.InSegment | core.InList | core.InSample | core.Chain]:
    """What a test speaks of, from left to right, each once; not what is inside of it."""
    seen: list[object] = []

    def look(node: core.Rule | core.Value | core.Anchored | core.Events) -> Iterator[core.Rule | core.Value]:
        match node:
            case core.Attribute() | core.Held() | core.Measure() | core.ScoreOf() | core.Points() | core.Chain():
                yield node
            case core.InSegment() | core.InList() | core.InSample():
                yield node
            case _:
                for child in children(node):
                    yield from look(child)

    for found in look(node):
        if found not in seen:
            seen.append(found)
            yield found  # type: ignore[misc]
