"""Stories run: what each test block expects against what its segment's rule says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from segdsl.analysis.stories.anatomy import Anatomy, Verdict
from segdsl.analysis.stories.coverage import Coverage, Seen, measure
from segdsl.backends.python import compile_program
from segdsl.core.program import Program
from segdsl.core.story import Expected, Story, facts_at
from segdsl.core.time import isoformat
from segdsl.text.diagnostic import Diagnostic

_JOINED = {"and": "all of:", "or": "any of:", "not": "not:"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One `on` line: what was expected, what is, and for a failure how the parts of the rule came out."""

    expected: Expected
    inside: bool
    verdict: Verdict | None = None

    @property
    def passed(self) -> bool:
        return self.expected.inside == self.inside

    @property
    def at(self) -> str:
        """The instant, ISO 8601 in UTC."""
        return isoformat(self.expected.at)


@dataclass(frozen=True, slots=True)
class Result:
    """One test block: the story and the outcome of each of its `on` lines, in the order of time."""

    story: Story
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        return all(outcome.passed for outcome in self.outcomes)

    @property
    def segment(self) -> str:
        return self.story.segment

    @property
    def title(self) -> str:
        """The test's title; without one, the days it asks about: `on 2026-03-09`."""
        if self.story.title:
            return self.story.title
        days = [day(self.story, outcome.expected) for outcome in self.outcomes]
        return "on " + ", ".join(dict.fromkeys(days))

    @property
    def file(self) -> str:
        return self.story.source.name

    @property
    def line(self) -> int:
        """The line of the heading, from 1."""
        return self.story.source.position(self.story.span.start)[0]

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """The failures, each at its line, with the parts of the rule."""
        return [self._diagnostic(outcome) for outcome in self.outcomes if not outcome.passed]

    def _diagnostic(self, outcome: Outcome) -> Diagnostic:
        is_, wanted = ("in", "out") if outcome.inside else ("out", "in")
        return Diagnostic(
            "SEG0540",
            f"`{self.segment}` is {is_} on {day(self.story, outcome.expected)}, and the test expects {wanted}",
            self.story.source,
            outcome.expected.span,
            f"in the test `{self.title}`",
            "\n".join(tree(outcome.verdict)) if outcome.verdict else "",
        )


def day(story: Story, expected: Expected) -> str:
    """The day or instant of an `on` line, as it was written."""
    return story.source.slice(expected.span).split()[1]


def tree(verdict: Verdict, indent: int = 0) -> list[str]:
    """The parts of a rule as lines: whether each was true, its words, and what it looked at."""
    mark = "true " if verdict.holds else "false"
    words, found, parts = verdict.words, verdict.found, verdict.parts
    if verdict.op == "not" and not parts[0].parts:
        # `not` and a single test are read in one breath
        words, found, parts = f"not {parts[0].words}", parts[0].found, ()
    elif verdict.op in _JOINED:
        words = _JOINED[verdict.op]
    lines = [f"{' ' * indent}{mark}  {words}" + (f"  ({found})" if found else "")]
    for part in parts:
        lines += tree(part, indent + 2)
    return lines


class Trial:
    """Test blocks of one program, ready to be run.

    zone: the project's time zone.
    """

    def __init__(self, program: Program, stories: Sequence[Story], zone: str) -> None:
        self.program = program
        self.stories = tuple(stories)
        self._zone = zone
        self._seen: Seen = set()

    @cached_property
    def _anatomy(self) -> Anatomy:
        # Only failures and coverage ask for parts, so that a green run compiles the rules alone.
        return Anatomy(self.program, {story.segment for story in self.stories}, self._zone)

    def run(self, *, covering: bool = False) -> list[Result]:
        """Each test's result, in the order given. covering: also note which parts were true and false."""
        compiled = compile_program(self.program)
        results = []
        for story in self.stories:
            predicate = compiled.predicate(story.segment)
            outcomes = []
            for expected in story.expectations:
                facts = facts_at(story, expected.at)
                inside = predicate(facts, expected.at)
                failed = inside != expected.inside
                verdict = self._anatomy.verdict(story.segment, facts, expected.at) if failed else None
                outcomes.append(Outcome(expected, inside, verdict))
                if covering:
                    self._note(story, expected.at)
            results.append(Result(story, tuple(outcomes)))
        return results

    def _note(self, story: Story, now: int) -> None:
        anatomy = self._anatomy
        index = anatomy.index(facts_at(story, now))
        for piece in anatomy.reached(story.segment):
            for part in piece.walk():
                self._seen.add((id(part), anatomy.holds(part, index, now)))

    def coverage(self, names: Sequence[str]) -> Coverage:
        """What `run(covering=True)` has shown of some segments and of the scores that they use."""
        tested = [story.segment for story in self.stories]
        return measure(self.program, names, tested, self._anatomy.pieces, self._seen)
