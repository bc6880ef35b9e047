"""What a text may look like before anybody parses it: size, characters, depth of nesting.

One pass over the text with no recursion, so that no input, however hostile, costs more than its length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from segdsl.syntax.ast import Comment
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import DIRECTIONS, Source, Span

MAX_BYTES = 2_000_000
MAX_NESTING = 24
MAX_DIGITS = 60

_SURROGATE = re.compile("[\ud800-\udfff]")
_PIECE = re.compile(
    r"""(?P<comment>\#[^\r\n]*)
      | (?P<string>"(?:[^"\\\n\r]|\\[^\n\r])*(?P<closed>"?))
      | (?P<quoted>`[^`\n\r]*(?P<ended>`?))
      | (?P<number>[0-9]+(?:\.[0-9]+)?)
      | (?P<word>[^\W\d]\w*)
      | (?P<open>\()
      | (?P<close>\))
      | (?P<space>\s+)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def _character_limits(source: Source) -> Iterator[Diagnostic]:
    """Characters that may stand nowhere, not even in comments: a reader could not see what they do."""
    text = source.text
    nul = text.find("\0")
    if nul >= 0:
        yield Diagnostic(
            "SEG0002",
            "the text holds a NUL character",
            source,
            Span(nul, nul + 1),
            help="is this a text file? remove it",
        )
    surrogate = _SURROGATE.search(text)
    if surrogate:
        yield Diagnostic(
            "SEG0003",
            "the text holds half of a character (a lone surrogate)",
            source,
            Span(*surrogate.span()),
            help="save the file as UTF-8",
        )
    bidi = DIRECTIONS.search(text)
    if bidi:
        yield Diagnostic(
            "SEG0004",
            f"the text holds an invisible character that changes the direction of reading (U+{ord(bidi[0]):04X})",
            source,
            Span(*bidi.span()),
            why="with it, a rule could look different from what it does",
            help=f"remove it; in a string write `\\u{{{ord(bidi[0]):X}}}`",
        )


def check_text(source: Source) -> list[Diagnostic]:
    """Findings for which the text is not parsed at all."""
    # a character takes at least one byte, so the cheap test first spares encoding a huge text
    if len(source.text) > MAX_BYTES or len(source.text.encode("utf-8", "replace")) > MAX_BYTES:
        return [
            Diagnostic(
                "SEG0001", "the text is larger than 2 MB", source, Span(0, 0), help="split it into several files"
            )
        ]
    return list(_character_limits(source))


def scan(source: Source, start: int, end: int) -> tuple[list[Comment], list[Diagnostic]]:
    """The comments of a stretch of the source, and what is wrong with it word by word, before its grammar."""
    text = source.text
    comments: list[Comment] = []
    found: list[Diagnostic] = []
    outer: list[int] = []  # of each open parenthesis, the number of `not`s right before it
    nots = 0
    depth = 0
    too_deep = False
    fresh = True  # nothing but space since the line began
    for piece in _PIECE.finditer(text, start, end):
        kind = piece.lastgroup
        if kind == "space":
            fresh = fresh or "\n" in piece[0] or "\r" in piece[0]
            continue
        span = Span(*piece.span())
        if kind == "comment":
            comments.append(
                Comment(piece[0].rstrip(), fresh, span=Span(span.start, span.start + len(piece[0].rstrip())))
            )
            continue
        fresh = False
        if kind == "open":
            outer.append(nots)
            depth += 1 + nots
            nots = 0
        elif kind == "close":
            if outer:
                depth -= 1 + outer.pop()
            nots = 0
        elif kind == "word" and piece[0].lower() == "not":
            nots += 1
        else:
            nots = 0
            if piece["closed"] == "":
                found.append(
                    Diagnostic(
                        "SEG0102",
                        "this string has no closing quote",
                        source,
                        Span(span.start, span.start + 1),
                        label="opened here",
                        help='close it with `"` on the same line; a quote inside is written `\\"`',
                    )
                )
            elif piece["ended"] == "":
                found.append(
                    Diagnostic(
                        "SEG0106",
                        "this name has no closing backtick",
                        source,
                        Span(span.start, span.start + 1),
                        label="opened here",
                        help="close it with a backtick on the same line",
                    )
                )
            elif kind == "number" and len(piece[0]) > MAX_DIGITS:
                found.append(
                    Diagnostic(
                        "SEG0006",
                        f"this number has {len(piece[0])} digits; {MAX_DIGITS} is the most",
                        source,
                        span,
                        help="no column holds a number that long",
                    )
                )
        if depth + nots > MAX_NESTING and not too_deep:
            too_deep = True
            found.append(
                Diagnostic(
                    "SEG0005",
                    f"this is nested more than {MAX_NESTING} levels deep",
                    source,
                    span,
                    help="give the inner part a name: make it a segment, and write `in segment NAME` here",
                )
            )
    return comments, found
