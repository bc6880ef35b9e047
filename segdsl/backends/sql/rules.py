"""Rules as SQL conditions.

SQL has a third truth value and rules have two. A WHERE drops NULL and FALSE alike, so leaves stay plain there;
under NOT they are made FALSE first.
"""

from __future__ import annotations

from typing import assert_never

from sqlglot import exp

from segdsl import types
from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node
from segdsl.backends.sql.values import Values, certain
from segdsl.core import nodes
from segdsl.core.counts import Counted, counted
from segdsl.core.time import Span


class Rules(Values):
    """Writes rules for one statement."""

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
                self.dialect.require("lists")
                leaf = self.dialect.contains(self.value(rule.value), rule.item)
            case nodes.Near():
                leaf = self.near(rule)
            case nodes.Anniversary():
                leaf = self.anniversary(rule)
            case _:
                assert_never(rule)
        return b.coalesce(leaf, b.FALSE()) if strict else leaf

    def at_least(self, measure: nodes.Measure, least: int, strict: bool) -> Node:
        """Whether a count that has no column of its own is at least so many: by its bit, or by the latest event."""
        if least <= 0:
            return b.TRUE()
        if measure in self.names.latest:
            return self.there_is(measure, strict)
        table, name, bit = self.names.terms.bits[measure, least]
        word = b.column(name, self.facts or table)
        bits = exp.BitwiseAnd(this=b.coalesce(word, b.number(0)) if strict else word, expression=b.number(bit))
        return exp.NEQ(this=exp.Paren(this=bits), expression=b.number(0))

    def there_is(self, measure: nodes.Measure, strict: bool) -> Node:
        """Whether a count is at least one: the latest event, out of the longest of several windows, lies in its own."""
        last, span = self.names.latest[measure], measure.events.span
        assert isinstance(span, Span)
        if last.events.span == span:
            return b.known(self.value(last))
        leaf = self.in_span(nodes.InSpan(last, Span(span.lo, None)))
        return b.coalesce(leaf, b.FALSE()) if strict else leaf

    def by_thresholds(self, asked: Counted, strict: bool) -> Node:
        """A comparison of a count out of what it is at least."""
        least, *more = asked.leasts
        if asked.op in ("<", "<="):
            return b.negation(self.at_least(asked.measure, least, True))
        reached = self.at_least(asked.measure, least, strict)
        return b.conjunction([reached, *(b.negation(self.at_least(asked.measure, each, True)) for each in more)])

    def comparison(self, rule: nodes.Compare, strict: bool) -> Node:
        """Two values compared, in whatever form says it most simply."""
        asked = counted(rule)
        if asked is not None and (asked.measure in self.names.terms.measures or asked.measure in self.names.latest):
            return self.by_thresholds(asked, strict)
        op, left, right = rule.op, rule.left, rule.right
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
        literal = self.dialect.sized(self.dialect.number(scaled, target), left.type)
        return b.compare(op, side, literal)  # type: ignore[arg-type]

    def one_of(self, rule: nodes.OneOf) -> Node:
        """A value that is one of some options, in its type's own form."""
        if not rule.options:
            return b.FALSE()
        options = [self.const(nodes.Const(option, rule.value.type)) for option in rule.options]
        return b.one_of(self.value(rule.value), options)

    def match(self, rule: nodes.Match) -> Node:
        """A text that fits a glob: `=` and IN where there are no wildcards, LIKE where there are."""
        value = self.value(rule.value)
        exact = ["".join(map(str, glob)) for glob in rule.globs if not any(isinstance(p, nodes.Wild) for p in glob)]
        parts = [b.one_of(value, [b.text(option) for option in exact])] if exact else []
        for glob in rule.globs:
            if any(isinstance(part, nodes.Wild) for part in glob):
                parts.append(self.dialect.like(value.copy(), glob))
        return b.disjunction(parts)

    def in_span(self, rule: nodes.InSpan) -> Node:
        """An instant within a span; without edges, one that is known."""
        value = self.value(rule.value)
        if isinstance(rule.span, nodes.Anchored):
            return b.conjunction(self.anchored(value, rule.span))
        parts = self.dialect.within(value, *self.clock.span(rule.span))
        return b.conjunction(parts) if parts else b.known(value)

    def anchored(self, t: Node, span: nodes.Anchored) -> list[Node]:
        """`anchor + lo < t <= anchor + hi`, and not after now."""
        anchor = self.value(span.anchor)
        return [
            b.compare(">", t, self.dialect.moved(anchor, span.lo)),
            b.compare("<=", t.copy(), self.dialect.moved(anchor.copy(), span.hi)),
            b.compare("<=", t.copy(), self.clock.now()),
        ]

    def near(self, rule: nodes.Near) -> Node:
        """The haversine formula; LEAST keeps the opposite point of the earth within the arcsine's range.

        Some engines' LEAST passes over NULL, so an unknown place is ruled out first.
        """
        self.dialect.require("places")
        latitude, longitude = self.place(rule.value)
        return b.template(
            "CASE WHEN _lat IS NULL OR _lon IS NULL THEN FALSE"
            " ELSE 2 * 6371.0088e0 * ASIN(LEAST(1e0, SQRT(POWER(SIN(RADIANS(_lat - _a) / 2), 2) + COS(RADIANS(_a))"
            " * COS(RADIANS(_lat)) * POWER(SIN(RADIANS(_lon - _o) / 2), 2)))) <= _km END",
            lat=latitude, lon=longitude,
            a=b.double(rule.latitude), o=b.double(rule.longitude), km=b.double(rule.kilometres),
        )  # fmt: skip

    def anniversary(self, rule: nodes.Anniversary) -> Node:
        """The day as numbers, year and 100 * month + day, against the days that begin in the span."""
        local = self.dialect.to_local(self.value(rule.value), rule.zone)
        year, day = self.dialect.year(local), self.dialect.month_and_day(local.copy())
        return self.clock.anniversaries(year, day, rule.span, rule.zone)

    def in_sample(self, rule: nodes.InSample) -> Node:
        """Hexadecimal digits compare like the numbers that they are."""
        if rule.threshold >= 2**32:
            return b.TRUE()
        self.dialect.require("samples")
        key = self.dialect.key_text(self.identity(), self.reading.whole_keys)
        salted = exp.DPipe(this=b.text(rule.salt + ":"), expression=key)
        return b.compare("<", self.dialect.md5(salted, 8), b.literal(f"{rule.threshold:08x}"))

    def among(self, table: str) -> Node:
        """The contact is among those of a CTE."""
        members = exp.Select(expressions=[b.column("contact")]).from_(b.table(table))
        return exp.In(this=self.identity(), query=members.subquery())
