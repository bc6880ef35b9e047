"""From text to tree. The only module that knows the parser generator; it is imported on first use."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from segdsl.syntax import ast
from segdsl.syntax.build import Builder
from segdsl.syntax.errors import Surprise, explain
from segdsl.syntax.limits import check_text, scan
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span

if TYPE_CHECKING:
    from lark import Lark

_BOM = "\ufeff"
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_TITLE = r'(?:"(?:[^"\\\n\r]|\\[^\n\r])*"?)'
# At the start of a line these words begin a declaration; further in, only if a colon ends the heading.
_NAME = r"(?:`[^`\n\r]*`|[^\W\d]\w*(?:[ \t]+[^\W\d]\w*)*)"
_HEADING = re.compile(
    rf"(?:(?:segment|score|test)(?=[ \t]+[^\W\d]|[ \t]*[`:\"])|"
    rf"[ \t]+(?:segment|score|test)[ \t]+{_NAME}[ \t]*{_TITLE}?[ \t]*:)",
    re.IGNORECASE,
)
_HEADING_END = re.compile(
    rf"[ \t]*(?P<word>\w+)[ \t]*(?P<name>{_NAME})?[ \t]*(?P<title>{_TITLE})?[ \t]*(?P<colon>:)?", re.IGNORECASE
)


def grammar_text() -> str:
    """The grammar, from the installed package or from the source tree."""
    packaged = files("segdsl").joinpath("grammar", "segdsl.lark")
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    return (Path(__file__).resolve().parents[2] / "grammar" / "segdsl.lark").read_text(encoding="utf-8")


@cache
def _machine() -> tuple[Lark, Builder]:
    from lark import Lark

    builder = Builder()
    lark = Lark(
        grammar_text(),
        parser="lalr",
        lexer="contextual",
        start=["file", "rule"],
        transformer=cast(Any, builder),
        maybe_placeholders=False,
    )
    return lark, builder


def _run(
    source: Source, start: int, end: int, comments: list[ast.Comment], goal: str, whole: str
) -> tuple[Any, list[Diagnostic]]:
    """Parse one stretch of the source: what the builder made of it (None if it failed), and what was wrong."""
    from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

    lark, builder = _machine()
    state = builder.state
    state.source, state.base, state.diagnostics = source, start, []
    try:
        result = lark.parse(_without_comments(source.text[start:end], comments, start), start=goal)
    except UnexpectedToken as error:
        ended = error.token.type == "$END"
        at = end if ended else start + int(error.token.start_pos or 0)
        to = end if ended else start + int(error.token.end_pos or 0)
        surprise = Surprise(source, start, end, at, to, ended, frozenset(error.accepts or error.expected), whole)
        return None, [explain(surprise)]
    except UnexpectedCharacters as error:
        at = start + int(error.pos_in_stream or 0)
        surprise = Surprise(source, start, end, at, at + 1, False, frozenset(error.allowed or ()), whole)
        return None, [explain(surprise)]
    except UnexpectedInput:  # pragma: no cover  (the two above are all there are)
        return None, [Diagnostic("SEG0101", "this cannot be read", source, Span(start, end))]
    found = state.diagnostics
    return result, found


def _body_start(source: Source) -> int:
    return 1 if source.text.startswith(_BOM) else 0


def _chunks(source: Source) -> tuple[int, list[tuple[int, int]]]:
    """Where the first heading starts, and the stretches of text from each heading to the next."""
    starts = []
    position = _body_start(source)
    text = source.text
    while position < len(text):
        if _HEADING.match(text, position):
            starts.append(position)
        line = _LINE.match(text, position)
        assert line is not None
        position = line.end()
    ends = [*starts, len(text)]
    return ends[0], list(pairwise(ends))


def _heading_problem(source: Source, start: int) -> Diagnostic | None:
    """What a heading lacks: its name, or the colon."""
    match = _HEADING_END.match(source.text, start)
    assert match is not None
    word = match["word"].lower()
    if match["name"] is None:
        return Diagnostic(
            "SEG0107",
            f"this {word} has no name",
            source,
            Span(*match.span("word")),
            help=f'write `{word} name "Title":`, or without a title `{word} name:`',
        )
    if match["colon"] is None:
        at = match.end("title") if match["title"] else match.end("name")
        return Diagnostic(
            "SEG0105",
            f"the heading of this {word} does not end in `:`",
            source,
            Span(start, at),
            label="a `:` belongs behind this",
            help=f'write `{word} name "Title":`, and the rest below it',
        )
    return None


def _broken(source: Source, start: int) -> list[ast.Declaration]:
    """What can be said of a declaration that cannot be read: the name in its heading."""
    match = _HEADING_END.match(source.text, start)
    if match is None or match["name"] is None or match["word"].lower() not in ("segment", "score"):
        return []
    span = Span(*match.span("name"))
    name = ast.Name(" ".join(match["name"].strip("`").split()), match["name"].startswith("`"), span=span)
    kind: Literal["segment", "score"] = "score" if match["word"].lower() == "score" else "segment"
    return [ast.Broken(kind, name, span=span)]


def parse_file(source: Source) -> tuple[ast.File, list[Diagnostic]]:
    """Read a rule file. Of a declaration with a syntax error only its name is kept; each such error is reported."""
    found = check_text(source)
    if found:
        return ast.File((), span=Span(0, 0)), found
    first, chunks = _chunks(source)
    begin = _body_start(source)
    comments, found = scan(source, begin, first)
    preamble = source.text[begin:first]
    if not found and _without_comments(preamble, comments, begin).strip():
        at = begin + len(preamble) - len(_without_comments(preamble, comments, begin).lstrip())
        line = source.line(source.position(at)[0])
        found.append(
            Diagnostic(
                "SEG0108",
                "a file is made of `segment`, `score` and `test` blocks, and this belongs to none",
                source,
                Span(at, min(at + len(line.strip()), first)),
                help='put a heading above it: `segment name "Title":`',
            )
        )
    declarations: list[ast.Declaration] = []
    for start, end in chunks:
        remarks, wrong = scan(source, start, end)
        comments.extend(remarks)
        if not wrong:
            problem = _heading_problem(source, start)
            if problem is not None:
                wrong = [problem]
            else:
                word = source.text[start:end].split(None, 1)[0].lower()
                nodes, wrong = _run(source, start, end, remarks, "file", word)
                if not wrong:
                    declarations.extend(nodes or ())
        if wrong:
            declarations.extend(_broken(source, start))
        found.extend(wrong)
    return ast.File(tuple(declarations), tuple(comments), span=Span(0, len(source.text))), found


def _without_comments(text: str, comments: list[ast.Comment], begin: int) -> str:
    """The text with each comment blanked, so that offsets stay.

    Comments are blanked before the parser sees the text, since a keyword of two words may be broken by one.
    """
    pieces = []
    position = 0
    for comment in comments:
        start, end = comment.span.start - begin, comment.span.end - begin
        pieces += [text[position:start], " " * (end - start)]
        position = end
    return "".join(pieces) + text[position:]


def parse_rule(source: Source) -> tuple[ast.Expression | None, list[Diagnostic]]:
    """Read one rule, without a heading. None if it cannot be read."""
    found = check_text(source)
    if found:
        return None, found
    begin, end = _body_start(source), len(source.text)
    comments, found = scan(source, begin, end)
    if found:
        return None, found
    rule, found = _run(source, begin, end, comments, "rule", "rule")
    return cast("ast.Expression | None", rule), found
