"""Rules and values as SQL expressions.

SQL has a third truth value and rules have two. A WHERE drops NULL and FALSE alike, so leaves stay plain there;
under NOT they are made FALSE first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from string import ascii_lowercase, ascii_uppercase
from typing import assert_never

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.dialects.duckdb import DuckDB
from segdsl.backends.sql.reading import Reading, instant
from segdsl.backends.sql.terms import FLIPPED, Terms, counted
from segdsl.core import nodes
from segdsl.core.program import Program
from segdsl.core.time import days_begun

ZERO_OVER_NOTHING = {"count", "sum", "distinct"}


@dataclass
class Names:
    """Where every fact is found: columns of the contact row, of measures, of event rows."""

    attributes: Mapping[nodes.Attribute | nodes.Held, tuple[str, ...]]
    measures: dict[nodes.Measure, tuple[str, str]]  # -> (table, column)
    properties: Mapping[str, str]
    segments: Mapping[str, str]
    contact: str = "contact"
    chains: dict[nodes.Chain, str] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)


class Rules:
    """Renders rules for one statement; `facts` is the table of all measures, if they have been joined into one."""

    def __init__(
        self,
        names: Names,
        program: Program,
        dialect: DuckDB,
        reading: Reading,
        now: int,
        facts: str | None = None,
    ) -> None:
        self.names, self.program, self.dialect, self.reading = names, program, dialect, reading
        self.now, self.facts = now, facts

    # --- rules ---------------------------------------------------------------------------------------------------

    def rule(self, rule: nodes.Rule, strict: bool = False) -> Node:
        """The condition; with `strict` never NULL."""
        leaf: Node
        match rule:
            case nodes.All():
                return b.conjunction([self.rule(part, strict) for part in rule.parts])
            case nodes.Any():
                return b.disjunction([self.rule(part, strict) for part in rule.parts])
            case nodes.Not():
                return b.negation(self.rule(rule.part, True))
            case nodes.Known():
                if isinstance(rule.value.type, types.Geo):
                    return b.conjunction([b.known(part) for part in self.place(rule.value)])
                return b.known(self.value(rule.value))
            case nodes.InSegment():
                return self.among(self.names.segments[rule.name])
            case nodes.Chain():
                return self.among(self.names.chains[rule])
            case nodes.InSample():
                return self.in_sample(rule)
            case nodes.InList():
                leaf = exp.In(this=self.identity(), query=self.reading.on_list(rule.name).subquery())
            case nodes.Compare():
                return self.comparison(rule, strict)
            case nodes.OneOf():
                leaf = self.one_of(rule)
            case nodes.Match():
                leaf = self.match(rule)
            case nodes.InSpan():
                leaf = self.in_span(rule)
            case nodes.Contains():
                leaf = exp.ArrayContains(this=self.value(rule.value), expression=b.text(rule.item))
            case nodes.Near():
                leaf = self.near(rule)
            case nodes.Anniversary():
                leaf = self.anniversary(rule)
            case _:
                assert_never(rule)
        return b.coalesce(leaf, b.FALSE()) if strict else leaf

    def term(self, measure: nodes.Measure, least: int, strict: bool) -> Node:
        """Whether a count is at least so many, by its bit."""
        if least <= 0:
            return b.TRUE()
        table, name, bit = self.names.terms.bits[measure, least]
        word = b.column(name, self.facts or table)
        bits = exp.BitwiseAnd(this=b.coalesce(word, b.number(0)) if strict else word, expression=b.number(bit))
        return exp.NEQ(this=exp.Paren(this=bits), expression=b.number(0))

    def by_terms(self, op: nodes.CompareOp, measure: nodes.Measure, number: int, strict: bool) -> Node:
        """A comparison of a count out of what it is at least."""
        match op:
            case ">=" | ">":
                return self.term(measure, number + (op == ">"), strict)
            case "<" | "<=":
                return b.negation(self.term(measure, number + (op == "<="), True))
            case "=":
                more = b.negation(self.term(measure, number + 1, True))
                return b.conjunction([self.term(measure, number, strict), more])

    def comparison(self, rule: nodes.Compare, strict: bool) -> Node:
        asked = counted(rule)
        if asked is not None and asked[1] in self.names.terms.measures:
            return self.by_terms(*asked, strict)
        op, left, right = rule.op, rule.left, rule.right
        if isinstance(left, nodes.Const) and not isinstance(right, nodes.Const):
            op, left, right = FLIPPED[op], right, left
        if (
            isinstance(left.type, types.Number)
            and isinstance(right, nodes.Const)
            and isinstance(right.type, types.Number)
        ):
            # COALESCE(n, 0) >= 3 says no more than n >= 3 where NULL is as good as false.
            at_least = right.value > 0 if op in {">=", "="} else right.value >= 0 if op == ">" else False  # type: ignore[operator]
            plain = at_least and not strict
            leaf = self.against(op, left, int(right.value), right.type.scale, plain)
        elif isinstance(left.type, types.Float) or isinstance(right.type, types.Float):
            leaf = b.compare(op, self.double(left), self.double(right))
        elif isinstance(left.type, types.Number) and isinstance(right.type, types.Number):
            leaf = b.compare(op, *self.aligned(left, right))
        elif isinstance(right, nodes.Const) and isinstance(right.type, types.Bool) and op == "=":
            value = self.value(left)
            leaf = value if right.value else exp.Not(this=b.paren(value))
        else:
            leaf = b.compare(op, self.value(left), self.value(right))
        return b.coalesce(leaf, b.FALSE()) if strict and not (certain(left) and certain(right)) else leaf

    def against(self, op: str, left: nodes.Value, scaled: int, scale: int, plain: bool) -> Node:
        """A number against a literal, which takes the scale of the number so that no side is converted."""
        assert isinstance(left.type, types.Number)
        side = self.value(left, plain)
        target = left.type.scale
        if scale > target:
            scaled, rest = divmod(scaled, 10 ** (scale - target))
            if rest:  # between two values of the number's scale
                if op == "=":
                    return exp.And(this=b.known(side), expression=b.FALSE())
                op = {">=": ">", "<": "<="}.get(op, op)
        else:
            scaled *= 10 ** (target - scale)
        return b.compare(op, side, b.number(scaled, target))  # type: ignore[arg-type]

    def aligned(self, left: nodes.Value, right: nodes.Value) -> tuple[Node, Node]:
        assert isinstance(left.type, types.Number) and isinstance(right.type, types.Number)
        a, c = self.value(left), self.value(right)
        if left.type.scale == right.type.scale:
            return a, c
        kind = f"DECIMAL(38, {max(left.type.scale, right.type.scale)})"
        return b.cast(a, kind), b.cast(c, kind)

    def double(self, value: nodes.Value) -> Node:
        if isinstance(value, nodes.Const):
            scale = value.type.scale if isinstance(value.type, types.Number) else 0
            return double(float(Fraction(value.value) / 10**scale))
        node = self.value(value)
        if isinstance(value.type, types.Number):
            # By way of its digits: the nearest double, which dividing the scaled integer would not promise.
            return b.cast(b.cast(node, "VARCHAR") if value.type.scale else node, "DOUBLE")
        return node

    def one_of(self, rule: nodes.OneOf) -> Node:
        if not rule.options:
            return b.FALSE()
        options = [self.const(nodes.Const(option, rule.value.type)) for option in rule.options]
        return b.one_of(self.value(rule.value), options)

    def match(self, rule: nodes.Match) -> Node:
        value = self.value(rule.value)
        exact = ["".join(map(str, glob)) for glob in rule.globs if not any(isinstance(p, nodes.Wild) for p in glob)]
        parts = [b.one_of(value, [b.text(option) for option in exact])] if exact else []
        for glob in rule.globs:
            if any(isinstance(part, nodes.Wild) for part in glob):
                like = exp.Like(this=b.operand(value.copy()), expression=b.text(pattern(glob)))
                parts.append(exp.Escape(this=like, expression=b.text("!")))
        return b.disjunction(parts)

    def in_span(self, rule: nodes.InSpan) -> Node:
        value = self.value(rule.value)
        if isinstance(rule.span, nodes.Anchored):
            return b.conjunction(self.anchored(value, rule.span))
        lo, hi = rule.span.resolve(self.now)
        parts = []
        if lo is not None:
            parts.append(b.compare(">", value, instant(lo)))
        if hi is not None:
            parts.append(b.compare("<=", value.copy(), instant(hi)))
        return b.conjunction(parts) if parts else b.known(value)

    def anchored(self, t: Node, span: nodes.Anchored) -> list[Node]:
        """`anchor + lo < t <= anchor + hi`, and not after now."""
        anchor = self.value(span.anchor)
        return [
            b.compare(">", t, exp.Add(this=b.operand(anchor), expression=interval(span.lo))),
            b.compare("<=", t.copy(), exp.Add(this=b.operand(anchor.copy()), expression=interval(span.hi))),
            b.compare("<=", t.copy(), instant(self.now)),
        ]

    def near(self, rule: nodes.Near) -> Node:
        """The haversine formula; LEAST keeps the opposite point of the earth within the arcsine's range.

        Some engines' LEAST passes over NULL, so an unknown place is ruled out first.
        """
        latitude, longitude = self.place(rule.value)
        return b.template(
            "CASE WHEN _lat IS NULL OR _lon IS NULL THEN FALSE"
            " ELSE 2 * 6371.0088e0 * ASIN(LEAST(1e0, SQRT(POWER(SIN(RADIANS(_lat - _a) / 2), 2) + COS(RADIANS(_a))"
            " * COS(RADIANS(_lat)) * POWER(SIN(RADIANS(_lon - _o) / 2), 2)))) <= _km END",
            lat=latitude, lon=longitude, a=double(rule.latitude), o=double(rule.longitude), km=double(rule.kilometres),
        )  # fmt: skip

    def anniversary(self, rule: nodes.Anniversary) -> Node:
        """The day as numbers, year and 100 * month + day, against the days that begin in the span."""
        first, last = days_begun(*rule.span.resolve(self.now), rule.zone)
        (from_year, from_day), (to_year, to_day) = divmod(first, 10_000), divmod(last, 10_000)
        local = self.dialect.to_local(self.value(rule.value), rule.zone)
        year = b.template("EXTRACT(YEAR FROM _x)", x=local)
        day = b.template("EXTRACT(MONTH FROM _x) * 100 + EXTRACT(DAY FROM _x)", x=local)

        def earlier_than(later: int) -> Node:
            return b.compare("<", year.copy(), b.number(later))

        since = b.compare(">=", day, b.number(from_day))
        until = b.compare("<=", day.copy(), b.number(to_day))
        if first > last:
            return b.FALSE()
        if from_year == to_year:
            return b.conjunction([earlier_than(from_year), since, until])
        options = [b.conjunction([earlier_than(from_year), since]), b.conjunction([earlier_than(to_year), until])]
        if to_year - from_year > 1:  # some whole year lies in the span
            options.append(earlier_than(to_year - 1))
        return b.disjunction(options)

    def in_sample(self, rule: nodes.InSample) -> Node:
        """Hexadecimal digits compare like the numbers that they are."""
        if rule.threshold >= 2**32:
            return b.TRUE()
        salted = exp.DPipe(this=b.text(rule.salt + ":"), expression=b.cast(self.identity(), "VARCHAR"))
        return b.compare("<", self.dialect.md5(salted, 8), b.text(f"{rule.threshold:08x}"))

    def among(self, table: str) -> Node:
        members = exp.Select(expressions=[b.column("contact")]).from_(b.table(table))
        return exp.In(this=self.identity(), query=members.subquery())

    # --- values --------------------------------------------------------------------------------------------------

    def value(self, value: nodes.Value, plain: bool = False) -> Node:
        """The expression of a value; with `plain` a count over no events may be NULL instead of 0."""
        match value:
            case nodes.Const():
                return self.const(value)
            case nodes.Attribute() | nodes.Held():
                return b.column(self.names.attributes[value][0], self.contact)
            case nodes.Property():
                return b.column(self.names.properties[value.key])
            case nodes.PeriodOf():
                local = self.dialect.to_local(b.column("t"), value.zone)
                start = b.template(f"DATE_TRUNC('{value.unit}', _x)", x=local)
                return self.dialect.from_local(start, value.zone)
            case nodes.Folded():
                return exp.func("TRANSLATE", self.value(value.text), b.text(ascii_uppercase), b.text(ascii_lowercase))
            case nodes.Arithmetic():
                return self.arithmetic(value)
            case nodes.Measure():
                table, name = self.names.measures[value]
                node = b.column(name, self.facts or table)
                return b.coalesce(node, b.number(0)) if value.kind in ZERO_OVER_NOTHING and not plain else node
            case nodes.Points():
                return self.points(value)
            case nodes.ScoreOf():
                return self.points(self.program.scores[value.name])
            case _:
                assert_never(value)

    def const(self, value: nodes.Const) -> Node:
        match value.type:
            case types.Bool():
                return b.TRUE() if value.value else b.FALSE()
            case types.Number():
                return b.number(int(value.value), value.type.scale)
            case types.Float():
                return double(float(value.value))
            case types.Timestamp() | types.Date():
                return instant(int(value.value))
            case _:
                return b.text(str(value.value))

    def arithmetic(self, value: nodes.Arithmetic) -> Node:
        """Both sides as wide as can be, so that nothing overflows before the result does, and nothing rounds."""
        left, right = self.value(value.left), self.value(value.right)
        kinds = [value.left.type, value.right.type]
        assert all(isinstance(kind, types.Number) for kind in kinds)
        if value.op == "*":
            wide = [self.wide(node, kind.scale) for node, kind in zip((left, right), kinds, strict=True)]  # type: ignore[union-attr]
            return exp.Mul(this=wide[0], expression=wide[1])
        operator = exp.Add if value.op == "+" else exp.Sub
        return operator(this=self.wide(left, value.type.scale), expression=self.wide(right, value.type.scale))

    def wide(self, node: Node, scale: int) -> Node:
        return b.cast(node, f"DECIMAL(38, {scale})" if scale else "HUGEINT")

    def points(self, points: nodes.Points) -> Node:
        """The sum of a score's lines."""
        scale = points.type.scale
        lines: list[Node] = []
        for award in points.awards:
            if award.per is None:
                line = b.number(award.points, scale)
            else:
                assert isinstance(award.per.type, types.Number)
                each, digits = award.points, scale
                while digits + award.per.type.scale > scale:  # 0.50 points per 1.00: the product has the line's scale
                    each, digits = each // 10, digits - 1
                factor = b.number(each, max(digits, 0))
                per = self.wide(self.value(award.per), award.per.type.scale)
                product = exp.Mul(this=per, expression=self.wide(factor, max(digits, 0)))
                line = b.coalesce(self.wide(product, scale), b.number(0))
                if award.cap is not None:
                    line = exp.Least(this=line, expressions=[b.number(award.cap, scale)])
            if award.rule is not None:
                line = b.case([(self.rule(award.rule), line)], b.number(0))
            lines.append(self.wide(line, scale))
        if not lines:
            return b.number(0, scale)
        while len(lines) > 1:  # balanced, like every long chain
            pairs = [lines[i : i + 2] for i in range(0, len(lines), 2)]
            lines = [exp.Paren(this=exp.Add(this=p[0], expression=p[1])) if len(p) == 2 else p[0] for p in pairs]
        return lines[0]

    # --- places --------------------------------------------------------------------------------------------------

    @property
    def contact(self) -> str:
        return self.facts or self.names.contact

    def identity(self) -> Node:
        return b.column("id", self.contact)

    def place(self, value: nodes.Value) -> tuple[Node, Node]:
        assert isinstance(value, nodes.Attribute | nodes.Held)
        latitude, longitude = self.names.attributes[value]
        return b.column(latitude, self.contact), b.column(longitude, self.contact)


def certain(value: nodes.Value) -> bool:
    """Whether a value is never unknown."""
    match value:
        case nodes.Const() | nodes.Points() | nodes.ScoreOf():
            return True
        case nodes.Measure():
            return value.kind in ZERO_OVER_NOTHING
        case nodes.Arithmetic():
            return certain(value.left) and certain(value.right)
    return False


def pattern(glob: Sequence[str | nodes.Wild]) -> str:
    """A glob as a LIKE pattern with `!` as its escape."""
    wild = {nodes.Wild.ONE: "_", nodes.Wild.RUN: "%"}
    return "".join(
        wild[part] if isinstance(part, nodes.Wild) else part.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        for part in glob
    )


_UNITS = (("DAY", 86_400_000_000), ("HOUR", 3_600_000_000), ("MINUTE", 60_000_000), ("SECOND", 1_000_000))


def interval(microseconds: int) -> Node:
    """A length of time, in the largest unit that says it exactly. A day is 24 hours: instants here have no zone."""
    for unit, size in _UNITS:
        if microseconds % size == 0:
            return exp.Interval(this=b.text(str(microseconds // size)), unit=exp.Var(this=unit))
    return exp.Interval(this=b.text(str(microseconds)), unit=exp.Var(this="MICROSECONDS"))


def double(value: float) -> Node:
    """A DOUBLE literal: an exponent tells it from a decimal."""
    digits = repr(abs(value))
    literal = exp.Literal.number(digits if "e" in digits else f"{digits}e0")
    return exp.Neg(this=literal) if value < 0 else literal
