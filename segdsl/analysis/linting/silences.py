"""`# segdsl: allow SEG0412 reason`: comments that silence a lint, and what is wrong with them.

A silence is for the line that it ends; alone on its line it is for the next line with code, and above a heading for
the whole segment, score or test. It names the lint by code or name and says why. One without a reason, and one that
silences nothing, are reported themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from segdsl.syntax import ast
from segdsl.text.diagnostic import Diagnostic, Edit
from segdsl.text.source import Source, Span
from segdsl.text.suggest import nearest

NO_REASON = "SEG0401"
UNNEEDED = "SEG0402"

_PRAGMA = re.compile(r"#\s*segdsl\s*:\s*(?P<rest>.*)", re.IGNORECASE)
_ALLOW = re.compile(r"allow\s+(?P<lint>[\w-]+)\s*(?P<reason>.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Silence:
    """A comment that allows a lint, by its code, for findings that begin in a range of lines, both ends in."""

    source: Source
    comment: ast.Comment
    code: str
    first: int
    last: int

    def covers(self, found: Diagnostic) -> bool:
        """Whether a finding is one that this comment allows."""
        if found.source is not self.source or found.span is None or found.code != self.code:
            return False
        return self.first <= self.source.position(found.span.start)[0] <= self.last


def read(source: Source, file: ast.File, names: Mapping[str, str]) -> tuple[list[Silence], list[Diagnostic]]:
    """The silences of a file, and what is wrong with them. `names`: the code of each lint, by its name."""
    silences: list[Silence] = []
    found: list[Diagnostic] = []
    own_lines = {source.position(c.span.start)[0] for c in file.comments if c.own_line}
    for comment in file.comments:
        pragma = _PRAGMA.match(comment.text)
        if pragma is None:
            continue
        allow = _ALLOW.fullmatch(pragma["rest"])
        word = allow["lint"] if allow else ""
        code = names.get(word.lower()) or (word.upper() if word.upper() in names.values() else None)
        if code is None:
            found.append(_unreadable(source, comment, word, names))
            continue
        assert allow is not None
        if not allow["reason"].strip():
            found.append(
                Diagnostic(
                    NO_REASON, f"this silences `{word}` and does not say why", source, comment.span, "no reason",
                    help=f"write it behind: `# segdsl: allow {word} because …`", severity="warning",
                )
            )  # fmt: skip
        silences.append(Silence(source, comment, code, *_lines(source, file, comment, own_lines)))
    return silences, found


def _unreadable(source: Source, comment: ast.Comment, word: str, names: Mapping[str, str]) -> Diagnostic:
    guess = nearest(word, names) if word else None
    if not word:
        message, label = f"`{comment.text}` is not something that segdsl reads", "not `allow`"
    elif re.fullmatch(r"SEG\d{4}", word, re.IGNORECASE):
        message, label = f"`{word}` cannot be silenced", "not a lint"
    else:
        message, label = f"`{word}` is not a lint", "no such lint"
    help = f"did you mean `{guess}`?" if guess else "write `# segdsl: allow SEG0412 reason`, with the code of a lint"
    return Diagnostic(NO_REASON, message, source, comment.span, label, help=help, severity="warning")


def _lines(source: Source, file: ast.File, comment: ast.Comment, own_lines: set[int]) -> tuple[int, int]:
    """The lines that a comment is about."""
    line = source.position(comment.span.start)[0]
    if comment.own_line:
        while line in own_lines:
            line += 1
    for declaration in file.declarations:
        start, end = (source.position(at)[0] for at in (declaration.span.start, declaration.span.end))
        if start == line and comment.own_line:
            return line, end
    return line, line


def apply(found: Sequence[Diagnostic], silences: Sequence[Silence], active: Iterable[str]) -> Iterator[Diagnostic]:
    """The findings that are not silenced, and the silences that silence nothing.

    active: the codes of the lints that were on; a silence of another one may well be needed when it is.
    """
    used: set[int] = set()
    for diagnostic in found:
        covering = [i for i, silence in enumerate(silences) if silence.covers(diagnostic)]
        used.update(covering)
        if not covering:
            yield diagnostic
    on = set(active)
    for index, silence in enumerate(silences):
        if index not in used and silence.code in on:
            yield Diagnostic(
                UNNEEDED,
                f"this silences `{silence.code}`, which says nothing here",
                silence.source,
                silence.comment.span,
                "not needed",
                help="remove the comment",
                severity="warning",
                fix=(Edit(_with_space(silence.source, silence.comment)),),
            )


def _with_space(source: Source, comment: ast.Comment) -> Span:
    """The comment and what would be left of its line: the blanks before it, or the whole line if it is alone."""
    start, end, text = comment.span.start, comment.span.end, source.text
    while start and text[start - 1] in " \t":
        start -= 1
    if comment.own_line:
        while end < len(text) and text[end] in " \t":
            end += 1
        end += 2 if text[end : end + 2] == "\r\n" else text[end : end + 1] in ("\n", "\r")
    return Span(start, end)
