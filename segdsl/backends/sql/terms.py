"""Many counts at once: what many segments ask of one kind's events, as the rows of a table that is joined with them.

A hundred segments ask hundreds of counts such as `visited "/pricing" >= 3 in 30d`. An aggregate for each would test
every event against all of them; here an event meets only those of its own object. What comes out for each contact
are whole numbers of 62 yes-or-no bits, one bit for each *term*: a count and how many it must at least be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.clock import Fixed
from segdsl.core import nodes
from segdsl.core.counts import counted
from segdsl.core.time import FIRST, Span

FEWEST = 24  # below this number aggregates are as fast, and easier to read
BITS = 62

Term = tuple[nodes.Measure, int]  # at least so many
Group = tuple[str, nodes.Property]  # a kind of events, and the property by which its rules are found


@dataclass
class Terms:
    """The terms of one statement, and where the bit of each is found once `ctes` has been called."""

    bits: dict[Term, tuple[str, str, int]] = field(default_factory=dict)  # -> (table, column, bit)
    groups: dict[Group, dict[Term, None]] = field(default_factory=dict)

    def ctes(self, kinds: Mapping[str, str], properties: Mapping[str, Mapping[str, str]], clock: Fixed,
             name: Callable[[str], str], column: Callable[[str], str]) -> list[Node]:  # fmt: skip
        """For each group the table of its rules, and a row of bits for each contact."""
        found = []
        for (kind, prop), terms in self.groups.items():
            table = kinds[kind]
            rules, words = name(f"{table} rules"), name(f"{table} answers")
            found.append(b.cte(rules, self._rules(list(terms), clock)))
            columns = [column(f"{table} answers") for _ in range(-(-len(terms) // BITS))]
            found.append(b.cte(words, _answers(table, properties[kind][prop.key], rules, columns)))
            for number, term in enumerate(terms):
                self.bits[term] = (words, columns[number // BITS], 2 ** (number % BITS))
        return found

    def columns(self) -> list[tuple[str, str]]:
        """Every table and column of bits."""
        return list(dict.fromkeys((table, column) for table, column, _ in self.bits.values()))

    @cached_property
    def measures(self) -> set[nodes.Measure]:
        """The counts that are answered here."""
        return {measure for terms in self.groups.values() for measure, _ in terms}

    def _rules(self, terms: list[Term], clock: Fixed) -> Node:
        """`value, since, until, least, word, bit`: an event with the value, from since to until, counts for the bit."""
        rows = []
        for number, (measure, least) in enumerate(terms):
            filter_ = _filter(measure)
            assert filter_ is not None
            assert isinstance(measure.events.span, Span)
            lo, hi = measure.events.span.resolve_for_events(clock.instant)
            since, until = clock.dialect.instant(FIRST if lo is None else lo + 1), clock.dialect.instant(hi)
            for value in filter_[1]:
                numbers = (least, number // BITS, 2 ** (number % BITS))
                cells = [b.text(value), since.copy(), until.copy(), *map(b.number, numbers)]
                rows.append(exp.Tuple(expressions=cells))
        names = ["value", "since", "until", "least", "word", "bit"]
        alias = exp.TableAlias(this=b.identifier("rules"), columns=[b.identifier(name) for name in names])
        return select([(name, b.column(name)) for name in names], exp.Values(expressions=rows, alias=alias))


def compared(rules: Iterable[Iterable[object]]) -> dict[nodes.Measure, dict[int, None]]:
    """The counts that all nodes of all rules ask in no other way than compared with whole numbers, and how many each is
    asked to be at least."""
    found: dict[nodes.Measure, dict[int, None]] = {}
    uses: Counter[nodes.Measure] = Counter()
    for walked in rules:
        for node in walked:
            if isinstance(node, nodes.Measure):
                uses[node] += 1
            elif isinstance(node, nodes.Compare):
                asked = counted(node)
                if asked is not None:
                    uses[asked.measure] -= 1
                    found.setdefault(asked.measure, {}).update(dict.fromkeys(asked.leasts))
    return {measure: leasts for measure, leasts in found.items() if uses[measure] == 0}


def plan(compared: Mapping[nodes.Measure, Iterable[int]]) -> Terms:
    """The terms worth a table, out of what `compared` found: enough counts of one kind by one property."""
    found = Terms()
    for measure, leasts in compared.items():
        filter_ = _filter(measure)
        if filter_ is not None:
            group = found.groups.setdefault((measure.events.branches[0].kind, filter_[0]), {})
            group.update(((measure, least), None) for least in leasts if least > 0)
    found.groups = {key: terms for key, terms in found.groups.items() if len(terms) >= FEWEST}
    return found


def _filter(measure: nodes.Measure) -> tuple[nodes.Property, tuple[str, ...]] | None:
    """The property that the events must have which are counted, and the texts of which it must be one."""
    events = measure.events
    if len(events.branches) != 1 or not isinstance(events.span, Span):
        return None
    return texts_of(events.branches[0])


def texts_of(branch: nodes.Branch) -> tuple[nodes.Property, tuple[str, ...]] | None:
    """The property that a branch's events must have, and the texts of which it must be one; None for other filters."""
    match branch.where:
        case nodes.Match(value=nodes.Property() as prop, globs=globs):
            if any(isinstance(part, nodes.Wild) for glob in globs for part in glob):
                return None
            return prop, tuple(dict.fromkeys("".join(map(str, glob)) for glob in globs))
    return None


def _answers(events: str, value: str, rules: str, columns: list[str]) -> Node:
    """Each contact's bits: the events joined with their rules, counted, and the bits of those reached put together."""
    on = b.conjunction([
        b.compare("=", b.column(value, events), b.column("value", rules)),
        b.compare(">=", b.column("t", events), b.column("since", rules)),
        b.compare("<=", b.column("t", events), b.column("until", rules)),
    ])  # fmt: skip
    keys = ["word", "bit", "least"]
    wanted = [("contact", b.column("contact", events)), *((key, b.column(key, rules)) for key in keys)]
    counts = select(wanted, b.table(events))
    counts = counts.join(b.table(rules), on=on, copy=False).group_by(
        b.column("contact", events), *(b.column(key, rules) for key in keys), copy=False
    )
    counts = counts.having(b.compare(">=", exp.Count(this=exp.Star()), b.column("least", rules)), copy=False)
    words = [
        (name, exp.BitwiseOrAgg(this=b.case([(b.compare("=", b.column("word"), b.number(word)), b.column("bit"))])))
        for word, name in enumerate(columns)
    ]
    query = select([("contact", b.column("contact")), *words], counts.subquery("reached"))
    return query.group_by(b.column("contact"), copy=False)
