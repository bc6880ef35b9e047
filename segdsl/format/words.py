"""A tree back to words, on one line: every construct of the language in its one canonical spelling."""

from __future__ import annotations

from segdsl.syntax import ast

# How tightly each construct holds together; a part that binds more loosely than its place needs parentheses.
OR, AND, NOT, SEQUENCE, TEST, SUM, PRODUCT, ATOM = range(8)

_CALENDAR_DAYS = {-1: "yesterday", 0: "today", 1: "tomorrow"}
_CALENDAR_OFFSETS = {-1: "last", 0: "this", 1: "next"}
_PERIODS: dict[str, str] = {"d": "days", "w": "weeks", "mo": "months", "y": "years", "h": "hours"}


def level(node: ast.Expression) -> int:
    """How tightly a node holds together, loosest first."""
    if isinstance(node, ast.Or):
        return OR
    if isinstance(node, ast.And):
        return AND
    if isinstance(node, ast.Not):
        return NOT
    if isinstance(node, ast.Sequence):
        return SEQUENCE
    if isinstance(node, ast.Test):
        return TEST
    if isinstance(node, ast.Arithmetic):
        return PRODUCT if node.rest[0][0] == "*" else SUM
    return ATOM


def words(node: ast.Expression, least: int = OR) -> str:
    """The text of an expression, in parentheses if it binds more loosely than `least`."""
    text = _expression(node)
    return f"({text})" if level(node) < least else text


def name(node: ast.Name) -> str:
    """A name as it was written, in its backticks if it had some."""
    return f"`{node.text}`" if node.quoted else node.text


def text(node: ast.Text) -> str:
    """A text literal, with its escapes as they were written."""
    return f'"{node.raw}"'


def duration(node: ast.Duration) -> str:
    """A length of time, unit in short form."""
    return node.amount + node.unit


def texts(nodes: tuple[ast.Text, ...]) -> str:
    """One text, or several in parentheses."""
    return text(nodes[0]) if len(nodes) == 1 else "(" + ", ".join(text(n) for n in nodes) + ")"


def _expression(node: ast.Expression) -> str:
    match node:
        case ast.Or():
            return " or ".join(words(part, AND) for part in node.operands)
        case ast.And():
            return " and ".join(words(part, NOT) for part in node.operands)
        case ast.Not():
            return "not " + words(node.operand, NOT)
        case ast.Sequence():
            steps = [("not " if step.negated else "") + words(step.test, TEST) for step in node.steps]
            return " then ".join(steps)
        case ast.Test():
            return " ".join([words(node.subject, SUM), *(clause(c) for c in node.clauses)])
        case ast.Arithmetic():
            inner = level(node) + 1
            return words(node.first, inner) + "".join(f" {op} {words(part, inner)}" for op, part in node.rest)
        case ast.Operand():
            field = "." + name(node.field) if node.field else ""
            return name(node.name) + field + (" " + texts(node.objects) if node.objects else "")
        case ast.AnyEvent():
            return "any event"
        case ast.AnyOf():
            return "any of (" + ", ".join(words(member) for member in node.members) + ")"
        case ast.Everyone():
            return "everyone"
        case ast.Call():
            rank = f"{node.rank.text}, " if node.rank else ""
            of = f"{name(node.property)} of " if node.property else ""
            return f"{node.function}({rank}{of}{words(node.events)})"
        case ast.InSegment():
            return "in segment " + name(node.segment)
        case ast.InList():
            return "in list " + text(node.list)
        case ast.InSample():
            return f"in sample {node.percent.text}% of {text(node.salt)}"
        case ast.Anniversary():
            return "anniversary of " + words(node.of)
        case ast.Text():
            return text(node)
        case ast.Bool():
            return "true" if node.value else "false"
        case ast.Duration():
            return duration(node)
        case ast.Number() | ast.Date() | ast.Instant():
            return node.text


def clause(node: ast.Clause) -> str:
    """The text of one clause of a test."""
    match node:
        case ast.Where():
            return f"where ({words(node.rule)})"
        case ast.Compare():
            return f"{node.op} {words(node.right, SUM)}" + _ignoring(node.ignoring_case)
        case ast.Range():
            return f"{node.low.text} to {node.high.text} times"
        case ast.OneOf():
            values = ", ".join(words(value, SUM) for value in node.values)
            return ("not " if node.negated else "") + f"in ({values})" + _ignoring(node.ignoring_case)
        case ast.TextTest():
            negation = "not " if node.negated else ""
            return f"{negation}{node.op} {texts(node.values)}" + _ignoring(node.ignoring_case)
        case ast.IsKnown():
            return "is known" if node.known else "is unknown"
        case ast.Has():
            if len(node.values) == 1 and node.mode == "any":
                return "has " + text(node.values[0])
            return f"has {node.mode} of (" + ", ".join(text(value) for value in node.values) + ")"
        case ast.HasWhere():
            return f"has ({words(node.rule)})"
        case ast.Near():
            return f"within {node.kilometres.text} km of ({node.latitude.text}, {node.longitude.text})"
        case ast.Within():
            return "within " + duration(node.duration)
        case ast.AllWithin():
            return "all within " + duration(node.duration)
        case ast.WithSame():
            return "with same " + ", ".join(name(prop) for prop in node.properties)
        case ast.Without():
            return ("without any " if node.any else "without ") + words(node.event)
        case ast.Regularity():
            return f"in at least {node.at_least.text} of last " + _periods(node)
        case ast.Changed():
            before = " from " + words(node.before) if node.before else ""
            return "changed" + before + (" to " + words(node.after) if node.after else "")
        case ast.Was():
            value = words(node.value)
            return f"was {value} {duration(node.ago)} ago" if node.ago else f"was ever {value}"
        case _:
            return window(node)


def window(node: ast.Window) -> str:
    """The text of a window."""
    match node:
        case ast.InLast():
            return "in " + duration(node.duration)
        case ast.BetweenAgo():
            return f"between {duration(node.first)} and {duration(node.second)} ago"
        case ast.MoreThanAgo():
            return f"more than {duration(node.duration)} ago"
        case ast.InNext():
            return "in next " + duration(node.duration)
        case ast.Since():
            return "since " + node.start.text
        case ast.After():
            return "after " + words(node.anchor)
        case ast.Before():
            return "before " + words(node.anchor) if node.anchor else "before"
        case ast.On():
            return "on " + node.day.text
        case ast.Between():
            return f"between {node.first.text} and {node.last.text}"
        case ast.Calendar():
            if node.unit == "day":
                return _CALENDAR_DAYS[node.offset]
            return f"{_CALENDAR_OFFSETS[node.offset]} {node.unit}"
        case ast.OnDay():
            return f"on the day {duration(node.duration)} " + ("ahead" if node.ahead else "ago")
        case ast.InFuture():
            return "in the future"
        case ast.Ever():
            return "ever"


def _ignoring(folded: bool) -> str:
    return " ignoring case" if folded else ""


def _periods(node: ast.Regularity) -> str:
    unit = node.unit
    # "weeks" can be read back only from a whole number, which a period count always is in a valid rule
    if unit.amount == "1" and unit.unit in _PERIODS and node.periods.text.isdigit():
        return f"{node.periods.text} {_PERIODS[unit.unit]}"
    return f"{node.periods.text} periods of {duration(unit)}"
