"""The one place that turns diagnostics into something to read: terminal text, JSON, GitHub, SARIF."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, get_args

from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span

Format = Literal["human", "json", "github", "sarif"]
FORMATS: tuple[str, ...] = get_args(Format)

TAB = 4
LONGEST_LINE = 200  # a longer source line is cut around its span
AROUND = 60  # what is kept of a long line before its span
COLORS = {"error": "1;31", "warning": "1;33", "frame": "1;34", "help": "1;36", "message": "1"}


def render(diagnostics: Iterable[Diagnostic], format: Format = "human", *, color: bool = False) -> str:
    """The diagnostics as one text, without a final newline; empty if there is nothing to say."""
    found = list(diagnostics)
    match format:
        case "human":
            return "\n\n".join(human(diagnostic, color=color) for diagnostic in found)
        case "json":
            return json.dumps([as_dict(diagnostic) for diagnostic in found], indent=2, ensure_ascii=False)
        case "github":
            return "\n".join(github(diagnostic) for diagnostic in found)
        case "sarif":
            return json.dumps(sarif(found), indent=2, ensure_ascii=False)


# --- for people -------------------------------------------------------------------------------------------


def human(diagnostic: Diagnostic, *, color: bool = False) -> str:
    """One diagnostic with its source line, the span underlined, why, and the way out."""
    paint = _painter(color)
    severity = diagnostic.severity
    head = paint(f"{severity}[{diagnostic.code}]", severity) + paint(f": {printable(diagnostic.message)}", "message")
    lines = [head]
    if diagnostic.source is not None and diagnostic.span is not None:
        lines += _excerpt(diagnostic, paint)
    elif diagnostic.source is not None:
        lines.append(f"  {paint('-->', 'frame')} {printable(diagnostic.source.name)}")
    if diagnostic.why:
        lines.append(f"  {paint('why', 'help')}: {_indented(diagnostic.why, 7)}")
    if diagnostic.help:
        lines.append(f"  {paint('help', 'help')}: {_indented(diagnostic.help, 8)}")
    return "\n".join(lines)


def _excerpt(diagnostic: Diagnostic, paint: Callable[[str, str], str]) -> list[str]:
    source, span = diagnostic.source, diagnostic.span
    assert source is not None and span is not None
    line, column = source.position(span.start)
    text = source.line(line)
    start = min(column - 1, len(text))
    # A span over several lines is underlined to the end of its first.
    end = min(start + max(span.end - span.start, 1), max(len(text), start + 1))
    before, marked, after = _cut(text, start, end)
    # What stands before the span decides where the underline starts, and tabs count by their column.
    shown_before = _shown(before, 0)
    shown_marked = _shown(marked, width(shown_before))
    shown_after = _shown(after, width(shown_before) + width(shown_marked))
    number = str(line)
    gap = " " * len(number)
    bar = paint("|", "frame")
    underline = " " * width(shown_before) + paint("^" * max(width(shown_marked), 1), diagnostic.severity)
    label = f" {paint(printable(diagnostic.label), diagnostic.severity)}" if diagnostic.label else ""
    return [
        f"  {paint('-->', 'frame')} {printable(source.name)}:{line}:{column}",
        f"{gap} {bar}",
        f"{paint(number, 'frame')} {bar} {shown_before}{shown_marked}{shown_after}".rstrip(),
        f"{gap} {bar} {underline}{label}",
    ]


def _cut(text: str, start: int, end: int) -> tuple[str, str, str]:
    """The line in three parts; of a long line only what is near the span."""
    before, marked, after = text[:start], text[start:end], text[end:]
    if len(text) <= LONGEST_LINE:
        return before, marked, after
    if len(before) > AROUND:
        before = "…" + before[-AROUND:]
    room = LONGEST_LINE - len(before)
    if len(marked) > room:
        return before, marked[: room - 1] + "…", ""
    room -= len(marked)
    if len(after) > room:
        after = after[: max(room - 1, 0)] + "…"
    return before, marked, after


def _shown(text: str, column: int) -> str:
    """A piece of a source line as a terminal shows it without surprises, starting at `column`."""
    parts: list[str] = []
    for char in text:
        part = " " * (TAB - column % TAB) if char == "\t" else printable(char)
        parts.append(part)
        column += width(part)
    return "".join(parts)


def many(number: int, what: str) -> str:
    """`1 line`, `2 lines`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def printable(text: str) -> str:
    """Text without characters that move the cursor, reorder the line or cannot be encoded."""
    if text.isprintable():
        return text
    return "".join(_printable_char(char) for char in text)


def _printable_char(char: str) -> str:
    if char.isprintable() or char == "\u200d":
        return char
    return "\ufffd" if ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 else f"<U+{ord(char):04X}>"


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _indented(text: str, by: int) -> str:
    return ("\n" + " " * by).join(printable(line) for line in text.split("\n"))


def _painter(color: bool) -> Callable[[str, str], str]:
    if not color:
        return lambda text, role: text
    return lambda text, role: f"\x1b[{COLORS[role]}m{text}\x1b[0m" if text else text


# --- for programs -----------------------------------------------------------------------------------------


def as_dict(diagnostic: Diagnostic) -> dict[str, object]:
    """One diagnostic as plain data: lines and columns count from 1, `endColumn` is behind the last character.

    `fix`, where there is one, is a list of places with the `text` to put there.
    """
    place = _place(diagnostic)
    found: dict[str, object] = {
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "message": diagnostic.message,
        "file": diagnostic.source.name if diagnostic.source else None,
        "line": place[0] if place else None,
        "column": place[1] if place else None,
        "endLine": place[2] if place else None,
        "endColumn": place[3] if place else None,
        "label": diagnostic.label,
        "why": diagnostic.why,
        "help": diagnostic.help,
    }
    if diagnostic.fix and diagnostic.source is not None:
        keys = ("line", "column", "endLine", "endColumn")
        found["fix"] = [
            {**dict(zip(keys, _region(diagnostic.source, edit.span), strict=True)), "text": edit.text}
            for edit in diagnostic.fix
        ]
    return found


def _place(diagnostic: Diagnostic) -> tuple[int, int, int, int] | None:
    if diagnostic.source is None or diagnostic.span is None:
        return None
    return _region(diagnostic.source, diagnostic.span)


def _region(source: Source, span: Span) -> tuple[int, int, int, int]:
    return (*source.position(span.start), *source.position(span.end))


def _sentence(diagnostic: Diagnostic) -> str:
    parts = [diagnostic.message]
    if diagnostic.label:
        parts[0] += f" ({diagnostic.label})"
    if diagnostic.why:
        parts.append(f"why: {diagnostic.why}")
    if diagnostic.help:
        parts.append(f"help: {diagnostic.help}")
    return "\n".join(parts)


def github(diagnostic: Diagnostic) -> str:
    """A workflow command, which GitHub shows as an annotation on the line."""
    keys: list[tuple[str, str]] = []
    place = _place(diagnostic)
    if diagnostic.source is not None:
        keys.append(("file", diagnostic.source.name))
    if place is not None:
        line, column, end_line, end_column = place
        keys += [("line", str(line)), ("endLine", str(end_line))]
        if line == end_line:  # columns are only allowed within one line
            keys += [("col", str(column)), ("endColumn", str(end_column))]
    keys.append(("title", diagnostic.code))
    options = ",".join(f"{key}={_github_text(value, property=True)}" for key, value in keys)
    return f"::{diagnostic.severity} {options}::{_github_text(_sentence(diagnostic))}"


def _github_text(text: str, *, property: bool = False) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if property else text


def sarif(diagnostics: Sequence[Diagnostic]) -> dict[str, object]:
    """The diagnostics as a SARIF 2.1.0 log."""
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    driver = {"name": "segdsl", "rules": [{"id": code} for code in codes]}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(diagnostic, codes.index(diagnostic.code)) for diagnostic in diagnostics],
            }
        ],
    }


def _sarif_result(diagnostic: Diagnostic, rule: int) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": diagnostic.code,
        "ruleIndex": rule,
        "level": diagnostic.severity,
        "message": {"text": _sentence(diagnostic)},
    }
    if diagnostic.source is not None:
        physical: dict[str, object] = {"artifactLocation": {"uri": _uri(diagnostic.source.name)}}
        place = _place(diagnostic)
        if place is not None:
            physical["region"] = _sarif_region(place)
        result["locations"] = [{"physicalLocation": physical}]
        if diagnostic.fix:
            replacements = [
                {
                    "deletedRegion": _sarif_region(_region(diagnostic.source, edit.span)),
                    "insertedContent": {"text": edit.text},
                }
                for edit in diagnostic.fix
            ]
            change = {"artifactLocation": physical["artifactLocation"], "replacements": replacements}
            result["fixes"] = [{"description": {"text": diagnostic.help}, "artifactChanges": [change]}]
    return result


def _sarif_region(place: tuple[int, int, int, int]) -> dict[str, int]:
    return dict(zip(("startLine", "startColumn", "endLine", "endColumn"), place, strict=True))


def _uri(name: str) -> str:
    from urllib.parse import quote

    return quote(name.replace("\\", "/"))
