"""A text that is still being typed, word by word: the grammar cannot read it yet."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "quoted", "text", "number", "sign", "comment"]

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\r\n]*)
      | (?P<text>"(?:[^"\\\n\r]|\\[^\n\r])*"?)
      | (?P<quoted>`[^`\n\r]*`?)
      | (?P<number>[0-9](?:[\w:]|[.+-](?=[0-9]))*)
      | (?P<word>[^\W\d][\w\u0300-\u036f]*)
      | (?P<sign>!=|<=|>=|[^\s])""",
    re.VERBOSE,
)
_HEADING = re.compile(r"\s*(segment|score|test)\b[^()=<>\n]*:", re.IGNORECASE)
_JOINING = {"and", "or", "not", "then"}


@dataclass(frozen=True)
class Token:
    """A word, a name in backticks, a text, a number (durations and dates too), a sign or a comment."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def key(self) -> str:
        """What it says, for comparison: keywords and names are written in any case."""
        return self.text.strip("`").lower()

    @property
    def open(self) -> bool:
        """Whether it is a text or a name in backticks whose closing mark is missing."""
        return self.kind in ("text", "quoted") and (len(self.text) == 1 or self.text[-1] != self.text[0])


@dataclass(frozen=True)
class Group:
    """What stands in a closed pair of parentheses."""

    items: tuple[Item, ...]
    kind: Literal["group"] = "group"
    key: str = "("


Item = Token | Group


def tokens(text: str) -> list[Token]:
    """The words of a text; blanks are left out, comments are not."""
    found = []
    for match in _TOKEN.finditer(text):
        kind: Kind = match.lastgroup  # type: ignore[assignment]  # one of the pattern's groups
        found.append(Token(kind, match[0], match.start(), match.end()))
    return found


def frames(found: Sequence[Token]) -> list[list[Item]]:
    """The parentheses that are still open: what stands in each so far, the outermost (the rule itself) first."""
    stack: list[list[Item]] = [[]]
    for token in found:
        if token.kind == "comment":
            continue
        if token.text == "(":
            stack.append([])
        elif token.text == ")" and len(stack) > 1:
            closed = Group(tuple(stack.pop()))
            stack[-1].append(closed)
        else:
            stack[-1].append(token)
    return stack


def is_declaration(text: str) -> bool:
    """Whether a text begins with the heading of a segment, a score or a test."""
    return _HEADING.match(text) is not None


def unfinished(text: str) -> bool:
    """Whether more must come before a typed text can be a rule or a declaration.

    So it is inside parentheses, behind a comma, `and`, `or`, `not`, `then` and the colon of a heading. Scores and tests
    have a line for each point and end with an empty line. An empty last line ends everything.
    """
    if not text.strip() or text.lstrip().startswith(".") or re.search(r"\n[ \t]*\Z", text):
        return False
    heading = _HEADING.match(text)
    if heading and heading[1].lower() != "segment":
        return True
    found = [token for token in tokens(text) if token.kind != "comment"]
    if not found:
        return False
    last = found[-1]
    if len(frames(found)) > 1 or last.text == "," or (last.kind == "word" and last.key in _JOINING):
        return True
    return heading is not None and not tokens(text[heading.end() :])
