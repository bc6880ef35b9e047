"""Test blocks to stories: what each line gives, checked like a rule (language reference, section 2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from segdsl.catalog.model import Event, name_key
from segdsl.check.givens import contact_id, given
from segdsl.core import nodes as core
from segdsl.core.story import UNNAMED, Expected, Given, Happened, Listed, Story
from segdsl.core.time import FIRST, clamp
from segdsl.criteria.context import Context, Rejected
from segdsl.criteria.events import is_events, kinds_of, property_of
from segdsl.criteria.membership import in_list
from segdsl.criteria.windows import start_of
from segdsl.syntax import ast
from segdsl.syntax.strings import glob, plain
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Span
from segdsl.text.suggest import nearest


@dataclass
class _Teller:
    """A story on its way: the lines so far, and what was said already, with the place where it was said."""

    context: Context
    id: str | int = UNNAMED
    steps: list[Given | Listed | Happened] = field(default_factory=list)
    expectations: list[Expected] = field(default_factory=list)
    said: dict[object, Span] = field(default_factory=dict)
    dated: list[tuple[int, Span]] = field(default_factory=list)


def story(context: Context, test: ast.TestCase) -> Story | None:
    """Check and lower a test block. Errors are recorded in the context, those of every line; then there is no story."""
    before = len(context.diagnostics)  # lines add errors only; warnings come last
    segment = _segment(context, test.segment)
    teller = _Teller(context)
    for line in test.lines:
        _line(teller, line)
    if not any(isinstance(line, ast.Expect) for line in test.lines):
        context.diagnostics.append(
            Diagnostic(
                "SEG0533", f"this test of `{test.segment.text}` expects nothing", context.source, test.segment.span,
                "what is to be shown?", help="add a line `on 2026-03-09 in` or `on 2026-03-09 out`",
            )
        )  # fmt: skip
    if segment is None or len(context.diagnostics) > before:
        return None
    _unseen(teller)
    title = plain(test.title) if test.title else ""
    steps = tuple(sorted(teller.steps, key=lambda step: step.at))
    expectations = tuple(sorted(teller.expectations, key=lambda expected: expected.at))
    return Story(segment, title, context.source, test.span, teller.id, steps, expectations)


def _segment(context: Context, name: ast.Name) -> str | None:
    key = name_key(name.text)
    known = context.names.segments
    if key in known:
        return known[key]
    near = nearest(key, list(known))
    if key in context.names.scores:
        message, help = f"`{name.text}` is a score, and tests are of segments", "test a segment that uses the score"
    else:
        message = f"`{name.text}` is not a segment"
        help = f"did you mean `{known[near]}`?" if near else "test a segment of these files"
    context.diagnostics.append(Diagnostic("SEG0201", message, context.source, name.span, "no such segment", help=help))
    return None


def _line(teller: _Teller, line: ast.GivenContact | ast.GivenSet | ast.GivenEvent | ast.Expect) -> None:
    context = teller.context
    at: int | None
    try:
        at = FIRST if isinstance(line, ast.GivenContact) else clamp(start_of(context, line.at))
    except Rejected:
        at = None  # what else is wrong with the line is still to be told
    if at is not None and isinstance(line, ast.GivenSet | ast.GivenEvent):
        teller.dated.append((at, line.span))
    match line:
        case ast.GivenContact() | ast.GivenSet():
            for part in line.assignments:
                with suppress(Rejected):
                    _given(teller, at, part, first=isinstance(line, ast.GivenContact))
        case ast.GivenEvent():
            with suppress(Rejected):
                teller.steps.append(_event(context, at, line.event))
        case ast.Expect():
            if at is not None:
                _once(teller, ("on", at), line.span, f"whether the contact is in `on {line.at.text}`")
                teller.expectations.append(Expected(at, line.inside, line.span))


def _unseen(teller: _Teller) -> None:
    """Warn of lines behind the last `on`: with a slip in the year, a test that expects `out` passes for no reason."""
    last = max(expected.at for expected in teller.expectations)
    for at, span in teller.dated:
        if at > last:
            teller.context.diagnostics.append(
                Diagnostic(
                    "SEG0536", "nothing looks at this line: it is later than the last `on`", teller.context.source,
                    span, "too late to matter", help="add an `on` line behind it, or correct one of the dates",
                    severity="warning",
                )
            )  # fmt: skip


def _once(teller: _Teller, what: object, span: Span, words: str) -> None:
    """Record the second time that one thing is said of one instant: which of the two holds would be a guess."""
    first = teller.said.setdefault(what, span)
    if first != span:
        source = teller.context.source
        teller.context.diagnostics.append(
            Diagnostic(
                "SEG0534", f"this test says twice {words}", source, span, "the second one",
                help=f"keep one of them; the first is in line {source.position(first.start)[0]}",
            )
        )  # fmt: skip


# --- attributes and lists -------------------------------------------------------------------------------------


def _given(teller: _Teller, at: int | None, node: ast.Given, *, first: bool) -> None:
    context = teller.context
    instant = FIRST if at is None else at
    if isinstance(node, ast.GivenList):
        in_list(context, ast.InList(node.list, span=node.span))  # says if the catalog has no lists
        name = plain(node.list)
        if at is not None:
            _once(teller, ("list", name, at), node.span, f"whether the contact is on the list `{name}`")
        teller.steps.append(Listed(instant, name, node.member))
        return
    words = context.words(node.name)
    if _is_key(context, node.name):
        if not first:
            context.reject("SEG0530", f"`{words}` is the id of the contact, and that never changes", node.name.span,
                           label="not a thing to set",
                           help=f"write it on the first lines: `contact {words} = …`")  # fmt: skip
        _once(teller, "key", node.name.span, f"what `{words}` is")
        teller.id = contact_id(context, node.value)
        return
    told = _attribute(context, node.name)
    if at is not None:
        _once(teller, (told, at), node.name.span, f"what `{words}` is" + ("" if first else " from then on"))
    teller.steps.append(Given(instant, told, given(context, node.name, words, told, node.value)))


def _is_key(context: Context, operand: ast.Operand) -> bool:
    """Whether an operand is the contacts' key column; an attribute of that name comes first."""
    key = name_key(operand.name.text)
    column = name_key(context.catalog.key.name)
    return key == column and key not in context.catalog.attributes and operand.field is None and not operand.objects


def _attribute(context: Context, operand: ast.Operand) -> core.Attribute | core.Held:
    """What an assignment sets. Raises Rejected for anything but an attribute."""
    key, words = name_key(operand.name.text), context.words(operand)
    own = operand.field is None
    if own and is_events(context, operand):
        reason, help = "an event: it happens", f"give it a line of its own: `2026-03-01 {words}`"
    elif own and key in context.names.scores:
        reason, help = "a score: its lines add it up", "tell what its lines ask about"
    elif own and key in context.names.segments:
        reason, help = "a segment: its rule says who is in", "tell what the rule asks about"
    else:
        value = context.value(operand)
        assert isinstance(value, core.Attribute | core.Held)  # all that a name outside `where` can be, but a score
        return value
    context.reject("SEG0530", f"`{words}` is {reason}, and only attributes are set", operand.span,
                   label="not an attribute", help=help)  # fmt: skip


# --- events ---------------------------------------------------------------------------------------------------


def _event(context: Context, at: int | None, node: ast.Expression) -> Happened:
    """An event with what is told of it; what was refused is left out. Raises Rejected if it is no event."""
    subject, clauses = (node.subject, node.clauses) if isinstance(node, ast.Test) else (node, ())
    assert isinstance(subject, ast.Operand)  # the grammar takes no other event here
    [kind] = kinds_of(context, replace(subject, objects=()))
    pairs = list(_object(context, subject, kind))
    for clause in clauses:
        assert isinstance(clause, ast.Where)
        pairs += _pairs(context.inside((kind,)), clause.rule)
    properties: dict[str, object] = {}
    for name, named, value in pairs:
        with suppress(Rejected):
            told = property_of(context, (kind,), ast.Name(name, span=named.span))
            if isinstance(told, core.PeriodOf):
                context.reject("SEG0531", f"`{name}` follows from the time of the event", named.span,
                               label="not a thing to tell", help="leave it out")  # fmt: skip
            if told.key in properties:
                context.reject("SEG0534", f"this event says `{name}` twice", value.span,
                               label="the second one", help="keep one of them")  # fmt: skip
            properties[told.key] = None
            properties[told.key] = given(context, named, name, told, value)
    return Happened(FIRST if at is None else at, name_key(kind.name), properties, kind.time is not None)


_Pair = tuple[str, ast.Expression, ast.Expression]  # the property, where it is named, and its value


def _object(context: Context, subject: ast.Operand, kind: Event) -> Iterator[_Pair]:
    """`visited "/pricing"` as the pair of the object's property and the text; a pattern is refused."""
    if not subject.objects:
        return
    try:
        kinds_of(context, subject)  # says if the kind has no object, or one that is no text
    except Rejected:
        return
    assert kind.object is not None
    text, others = subject.objects[0], subject.objects[1:]
    if others or any(not isinstance(piece, str) for piece in glob(text)):
        shown = text.span.to(subject.objects[-1].span)
        what = "here are several" if others else f"`{context.words(text)}` is a pattern"
        context.diagnostics.append(
            Diagnostic(
                "SEG0532", f"one event has one object, and {what}", context.source, shown, "which of them?",
                help="write a line for each" if others
                else r"write one that fits, without `*` and `?`; a star that is meant itself is `\*`",
            )
        )  # fmt: skip
        return
    yield kind.properties[kind.object].name, text, text


def _pairs(context: Context, rule: ast.Expression) -> Iterator[_Pair]:
    """The properties that `where (…)` tells; anything but `property = literal` is refused."""
    match rule:
        case ast.And():
            for operand in rule.operands:
                yield from _pairs(context, operand)
        case ast.Test(
            subject=ast.Operand(objects=(), field=None) as subject,
            clauses=(ast.Compare(op="=", right=right, ignoring_case=False),),
        ) if isinstance(right, ast.Literal_):
            yield subject.name.text, subject, right
        case _:
            context.diagnostics.append(
                Diagnostic(
                    "SEG0531", f"`{context.words(rule)}` does not tell what the event was", context.source, rule.span,
                    "one value for one property is wanted", "a rule may ask about many events; a test tells of one",
                    'write `where (amount = 30.00 and plan = "pro")`; what is not told is unknown',
                )
            )  # fmt: skip
