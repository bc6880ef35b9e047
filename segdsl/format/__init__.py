"""The formatter: one canonical layout for every rule file, comments kept."""

from __future__ import annotations

from segdsl.format.layout import lay_out
from segdsl.format.words import words
from segdsl.syntax import ast, parse_file
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source

__all__ = ["format_file", "format_rule"]

_PASSES = 6  # a comment may move once or twice before it has found its place


def format_rule(expression: ast.Expression) -> str:
    """One rule on one line."""
    return words(expression)


def format_file(source: Source) -> tuple[str | None, list[Diagnostic]]:
    """The formatted text, or None and the reasons why the text cannot be read.

    The result is read again before it is returned: it means the same tree, holds the same comments, and
    formatting it once more changes nothing.
    """
    file, found = parse_file(source)
    if found:
        return None, found
    original = file
    text = source.text
    for _ in range(_PASSES):
        formatted = lay_out(Source(source.name, text), file)
        if formatted == text:
            return text, []
        file, found = parse_file(Source(source.name, formatted))
        if found or file != original or _remarks(file) != _remarks(original):
            break
        text = formatted
    return None, [
        Diagnostic(
            "SEG0111",
            "this file cannot be formatted safely, so it was left as it is",
            source,
            original.span,
            why="the formatted text would not have meant the same: an error of the formatter, not of the file",
            help="please report it, with the file",
        )
    ]


def _remarks(file: ast.File) -> list[str]:
    """The texts of the comments; their order may change inside one line."""
    return sorted(comment.text for comment in file.comments)
