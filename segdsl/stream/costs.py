"""What a stream keeps of each contact, test by test, before anything runs; and which tests need all of a history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from segdsl.analysis.explain.wording import ago, length
from segdsl.catalog.model import Catalog
from segdsl.core import nodes as core
from segdsl.core.program import Program, nodes_of
from segdsl.core.time import Earlier, Edge, FromNow, Later, Span
from segdsl.core.walking import branches_of
from segdsl.stream.terms import Asked, Latest, terms_of_rule
from segdsl.text.diagnostic import Diagnostic

INSTANT = 40  # bytes, about: a whole number and its place in a list
EVENT = 500  # bytes, about: its instant and a few properties, and as much for a value of an attribute with a history
Kept = Literal["nothing", "instants", "values", "window", "history"]


@dataclass(frozen=True)
class Cost:
    """What one test of a segment or a score makes the stream keep of each contact.

    kept: "instants": the last few; "window": the events that lie in the test's windows; "history": every event that the
      test may ask for, since no window lets go of them; "values": no events, but all values that attributes had, as a
      late one may change what comes behind it; "nothing": none of these.
    bytes: about how many a contact; of a window, a history or values about how many for each of these.
    keeps: the same in words. why, help: of a history, what makes it one, and what would make it less.
    """

    owner: str
    part: core.Part
    kept: Kept
    bytes: int
    keeps: str
    why: str = ""
    help: str = "give it a window such as `in 90d`, or plan for memory that grows with each event"

    @property
    def diagnostic(self) -> Diagnostic:
        """The warning that a test needs all of a history: SEG0730."""
        return Diagnostic(
            "SEG0730", f"a stream keeps every event for `{self.part.words}`", self.part.source, self.part.span,
            why=self.why, help=self.help, severity="warning",
        )  # fmt: skip


def costs(program: Program, catalog: Catalog) -> Iterator[Cost]:
    """What each test of the program's segments, and of its scores' lines, costs."""
    for segment in program.segments.values():
        if segment.outline is not None:
            yield from _costs(segment.name, segment.outline, program, catalog)
    for name, score in program.scores.items():
        for award in score.awards:
            if award.outline is not None:
                yield from _costs(name, award.outline, program, catalog)


def _costs(owner: str, outline: core.Part, program: Program, catalog: Catalog) -> Iterator[Cost]:
    for part in outline.walk():
        if part.op == "test":
            yield _cost(owner, part, program, catalog)


def _cost(owner: str, part: core.Part, program: Program, catalog: Catalog) -> Cost:
    terms = terms_of_rule(part.rule, program)
    nodes = [node for term in terms for node in _nodes(term)]
    told = sorted({
        branch.kind for branch in branches_of(nodes)
        if branch.kind in catalog.events and catalog.events[branch.kind].id is not None
    })  # fmt: skip
    if told:
        event = catalog.events[told[0]]
        assert event.id is not None
        why = f"deliveries of `{event.name}` are told apart by `{event.id.name}`, whenever they come"
        help = f"leave out the `id` of `{event.name}` if whoever feeds the stream delivers each event once"
        return Cost(owner, part, "history", EVENT, "every event", why, help)
    kinds = {branch.kind for branch in branches_of(nodes)}
    if any(kind in catalog.events and catalog.events[kind].time is None for kind in kinds):
        return Cost(owner, part, "history", EVENT, "every event", "events without a time stay")
    latest = [term for term in terms if isinstance(term, Latest)]
    if terms and len(latest) == len(terms):
        most = max(term.least for term in latest)
        keeps = "the last instant" if most == 1 else f"the last {most} instants"
        return Cost(owner, part, "instants", most * INSTANT, keeps)
    values = _values(nodes, catalog)
    asked = [node for node in nodes if not isinstance(node, core.Events) or not _is_of_changes(node)]
    spans = [node.span for node in asked if isinstance(node, core.Events | core.Chain)]
    if not spans:
        return Cost(owner, part, "values", EVENT, values) if values else Cost(owner, part, "nothing", 0, "no events")
    for span in spans:
        if span is None:
            return Cost(owner, part, "history", EVENT, "every event", "events without a time stay")
        if not isinstance(span, Span):
            why = "its window lies around an instant that may be of any time"
            return Cost(owner, part, "history", EVENT, "every event", why)
        if span.lo is None:
            return Cost(owner, part, "history", EVENT, "every event", "it asks for all time: no window lets events go")
    if any(isinstance(node, core.Chain) and node.without and node.without.place == "ever" for node in nodes):
        why = "what must never have happened may have been at any time"
        help = "forbid it for some time alone, as `without … within 90d before`, or plan for memory that grows"
        return Cost(owner, part, "history", EVENT, "every event", why, help)
    windows = _windows(asked)
    return Cost(owner, part, "window", EVENT, f"{windows}, and {values}" if values else windows)


def _nodes(term: Latest | Asked) -> Iterator[object]:
    """The nodes of one term itself; what it refers to has costs of its own."""
    if isinstance(term, Asked):
        yield from nodes_of(Program({}, {}), [term.rule])
    else:
        yield core.Events(term.branches, None)


def _values(nodes: Iterable[object], catalog: Catalog) -> str:
    """The attributes with a history that are asked for, in words: `every value of …`; the empty text if none is."""
    keys = {node.key for node in nodes if isinstance(node, core.Held)}
    keys |= {key for branch in branches_of(nodes) if (key := core.changed_attribute(branch.kind)) is not None}
    names = " and ".join(f"`{catalog.attributes[key].name}`" for key in sorted(keys))
    return f"every value of {names}" if names else ""


def _is_of_changes(events: core.Events) -> bool:
    return all(core.changed_attribute(branch.kind) is not None for branch in events.branches)


def _windows(nodes: Iterable[object]) -> str:
    """The longest window in words, with what must not lie before it, where all are lengths of time back from now."""
    edges: list[Edge | None] = []
    for node in nodes:
        if isinstance(node, core.Events | core.Chain) and isinstance(node.span, Span):
            without = node.without if isinstance(node, core.Chain) else None
            before = without.place if without is not None and isinstance(without.place, int) else 0
            edges += _steps(node.span.lo, before)
    steps = [edge for edge in edges if isinstance(edge, FromNow)]
    if len(steps) < len(edges):
        return "the events of its windows"
    if all(not step.months for step in steps):
        return f"the events of {length(max(-step.microseconds for step in steps))}"
    longest = min(steps, key=lambda step: (step.months * 30, step.microseconds))
    return f"the events since {ago(longest)}"


def _steps(edge: Edge | None, before: int) -> list[Edge | None]:
    """The edge, or the two of which it is made, each so much earlier."""
    edges = (edge.first, edge.second) if isinstance(edge, Earlier | Later) else (edge,)
    return [replace(e, microseconds=e.microseconds - before) if isinstance(e, FromNow) else e for e in edges]
