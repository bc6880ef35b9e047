"""What a string literal means: as plain text, or as a glob with wildcards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from segdsl.syntax.ast import Text


class Wild(Enum):
    """A wildcard of a glob."""

    ONE = "?"
    RUN = "*"


_PIECE = re.compile(r"\\u\{(?P<hex>[^}]*)\}|\\(?P<escaped>.)|(?P<bare>.)", re.DOTALL)
_SIMPLE = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_MAX_CODE_POINT = 0x10FFFF


def _code_point(digits: str) -> str | None:
    """The character of `\\u{digits}`, or None if there is none: too long, not hex, a surrogate, or NUL."""
    if not re.fullmatch(r"[0-9A-Fa-f]{1,6}", digits):
        return None
    value = int(digits, 16)
    if value == 0 or value > _MAX_CODE_POINT or 0xD800 <= value <= 0xDFFF:
        return None
    return chr(value)


def plain(text: Text) -> str:
    """The characters a literal stands for. Wrong escapes were reported by the parser; here they stay as they are."""
    out: list[str] = []
    for piece in _PIECE.finditer(text.raw):
        digits, escaped = piece["hex"], piece["escaped"]
        if digits is not None:
            out.append(_code_point(digits) or "\ufffd")
        elif escaped is not None:
            out.append(_SIMPLE.get(escaped, escaped))
        else:
            out.append(piece["bare"])
    return "".join(out)


def glob(text: Text) -> tuple[str | Wild, ...]:
    """A literal read as a glob: runs of literal text and wildcards in turn. What an escape yields is literal."""
    out: list[str | Wild] = []
    literal: list[str] = []
    for piece in _PIECE.finditer(text.raw):
        bare = piece["bare"]
        if bare in ("*", "?"):
            if literal:
                out.append("".join(literal))
                literal = []
            wild = Wild(bare)
            if not (wild is Wild.RUN and out and out[-1] is Wild.RUN):  # `**` takes what `*` takes
                out.append(wild)
        elif bare is not None:
            literal.append(bare)
        elif piece["hex"] is not None:
            literal.append(_code_point(piece["hex"]) or "\ufffd")
        else:
            literal.append(_SIMPLE.get(piece["escaped"], piece["escaped"]))
    if literal:
        out.append("".join(literal))
    return tuple(out)


def bad_escapes(raw: str, is_glob: bool) -> Iterator[tuple[int, int, str]]:
    """Start, end (offsets into `raw`) and the reason of each escape that means nothing."""
    if "\\" not in raw:
        return
    for piece in _PIECE.finditer(raw):
        digits, escaped = piece["hex"], piece["escaped"]
        if digits is not None:
            if _code_point(digits) is None:
                yield piece.start(), piece.end(), "is not the code of a character"
        elif escaped is not None and escaped not in _SIMPLE:
            if escaped in "*?":
                if not is_glob:
                    yield piece.start(), piece.end(), "is an escape of patterns only"
            else:
                yield piece.start(), piece.end(), "is not an escape"
