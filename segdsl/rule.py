"""One compiled rule, as a program's user asks it about contacts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from segdsl.catalog.model import Catalog
from segdsl.core import time
from segdsl.core.program import Program

if TYPE_CHECKING:
    from segdsl.analysis.explain.explainer import Explainer
    from segdsl.analysis.explain.explanation import Explanation
    from segdsl.contact import Contact
    from segdsl.core.contact import Facts

    Predicate = Callable[[Facts, int], bool]


class Rule:
    """One compiled rule. `name` is its segment's name (`rule` for a bare rule), `title` its title or ""."""

    def __init__(self, catalog: Catalog, program: Program, name: str) -> None:
        self.catalog = catalog
        self.program = program
        self.name = name
        self.title = program.segments[name].title

    def __repr__(self) -> str:
        return f"<Rule {self.name}: {self.program.segments[self.name].words}>"

    @cached_property
    def _predicate(self) -> Predicate:
        from segdsl.backends.python import compile_program

        return compile_program(self.program).predicate(self.name)

    def predicate(self) -> Predicate:
        """The bare compiled function, for hot loops: `predicate(facts, now)`, with `segdsl.contact.facts` and
        the instant in microseconds since 1970 (UTC)."""
        return self._predicate

    def matches(self, contact: Contact, now: datetime) -> bool:
        """Whether the contact is in at `now`. Raises ValueError for a time without time zone."""
        from segdsl.contact import facts

        instant = time.from_datetime(now)
        return bool(self._predicate(facts(contact, self.catalog), instant))

    @cached_property
    def explainer(self) -> Explainer:
        """What answers `explain` and `next_change`, made once."""
        from segdsl.analysis.explain.explainer import Explainer

        return Explainer(self.catalog, self.program, self.name)

    def explain(self, contact: Contact, now: datetime) -> Explanation:
        """Why the contact is in at `now`, or is not: a tree of the rule's parts, with the events behind each.

        Of what the contact holds, events after `now` count for nothing. `str()` of the result is a text for people.
        Raises ValueError for a time without time zone, and for names that the catalog does not have.
        """
        from segdsl.contact import facts

        return self.explainer.explain(facts(contact, self.catalog), time.from_datetime(now))

    def next_change(self, contact: Contact, now: datetime) -> datetime | None:
        """The first instant after `now` at which the answer flips with no new event, exact to the microsecond.

        In the project's time zone; None if that never happens. Events after `now` are left out, dates that attributes
        hold may lie ahead. Raises as `explain` does.
        """
        from segdsl.contact import facts

        instant = self.explainer.next_change(facts(contact, self.catalog), time.from_datetime(now))
        return None if instant is None else time.to_zoned(instant, self.catalog.timezone)

    def sql(self, dialect: str, now: datetime | None = None) -> str:
        """The query of the members, rows of `segment, contact`, in a dialect.

        now: None asks the database's own clock on every run, where the dialect can.
        Raises ValueError for a time without time zone, `segdsl.Errors`: SEG0701 for an unknown dialect, SEG0704 for
        what the dialect cannot do.
        """
        from segdsl.backends.sql import compile_segments

        instant = None if now is None else time.from_datetime(now)
        return compile_segments(self.program, self.catalog, [self.name], instant, None, dialect)
