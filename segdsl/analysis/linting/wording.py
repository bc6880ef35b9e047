"""How lints speak of parts of rules: their words, and where they stand."""

from __future__ import annotations

from segdsl.core import nodes as core

LONGEST = 70  # of a part's words; the rest can be read in the underlined line


def words(part: core.Part) -> str:
    """A part as it was written, in backticks, cut if it is long."""
    text = part.words
    return f"`{text}`" if len(text) <= LONGEST else f"`{text[: LONGEST - 1]}…`"


def place(part: core.Part) -> str:
    """Where a part stands: `segments/leads.seg:2:5`, or its column in a bare rule."""
    line, column = part.source.position(part.span.start)
    return f"{part.source.name}:{line}:{column}"
