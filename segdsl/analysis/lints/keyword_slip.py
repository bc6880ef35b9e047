"""A keyword in the wrong place: in quotes, or misspelt in a name.

A quote that ends too late swallows what was meant as a part of the rule (`visited "/pricing in 30d"`), and a misspelt
`and` becomes a part of a name (`segment hot adn new:`). Both are legal, and neither is likely meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from segdsl.analysis.linting.subject import Subject
from segdsl.syntax import ast
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span

CODE = "SEG0419"
ON = True
FIX = ""

_STRING = re.compile(r'#[^\r\n]*|`[^`\n\r]*`|"((?:[^"\\\n\r]|\\[^\n\r])*)"')
_UNIT = r"(ms|s|min|h|d|w|mo|y|seconds?|minutes?|hours?|days?|weeks?|months?|years?)"
# What only a rule says: a window at the end of the text, a comparison with a number, and what members are looked up in.
_SWALLOWED = re.compile(
    rf"\b(?:in|within|more\s+than)\s+[0-9]+\s*{_UNIT}(?:\s+ago)?\s*\Z|\s(?:>=|<=|!=|>|<|=)\s*[0-9]+\b|"
    r"\bin\s+(?:segment|list)\s+\S+\s*\Z",
    re.IGNORECASE,
)
# Letters of a joining word that changed places, or fell on the neighbouring key; no English word is among them.
_MISSPELT = {
    **dict.fromkeys(("adn", "nad", "nda", "amd", "abd", "ans", "annd", "andd"), "and"),
    **dict.fromkeys(("nto", "nott", "noot", "ont"), "not"),
    **dict.fromkeys(("thne", "tehn", "hten", "thenn"), "then"),
    **dict.fromkeys(("ro", "orr", "oor"), "or"),
}


def check(subject: Subject) -> Iterator[Diagnostic]:
    """Texts that hold what only a rule says, and declared names that hold a misspelt joining word."""
    for outline in subject.outlines:
        yield from _texts(outline.source, outline.span)
    for line in subject.counted:
        yield from _texts(line.source, line.span)
    for source, declaration in subject.declarations():
        if isinstance(declaration, ast.Segment | ast.Score):
            yield from _name(source, declaration.name)


def _texts(source: Source, place: Span) -> Iterator[Diagnostic]:
    for text in _STRING.finditer(source.text, place.start, place.end):
        found = _SWALLOWED.search(text[1]) if text[1] is not None else None
        if found is None:
            continue
        words = found[0].strip()
        yield Diagnostic(
            CODE,
            f"`{words}` stands inside the quotes, so it is text and no part of the rule",
            source,
            Span(*text.span()),
            "does the quote end too late?",
            help=f'close the quote before it: `"{text[1][: found.start()].strip()}" {words} …`',
            severity="warning",
        )


def _name(source: Source, name: ast.Name) -> Iterator[Diagnostic]:
    words = name.text.split()
    for word in words if len(words) > 1 else ():
        meant = _MISSPELT.get(word.lower())
        if meant is not None:
            yield Diagnostic(
                CODE,
                f"`{word}` in the name `{name.text}` looks like a misspelt `{meant}`",
                source,
                name.span,
                "one name of several words",
                help="give it a name without that word; words are joined by underscores, `hot_and_new`",
                severity="warning",
            )
