"""What every phase returns instead of raising: findings with a code, a place and a way out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from segdsl.text.source import Source, Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Edit:
    """A span of the diagnostic's source, and the text to put in its place."""

    span: Span
    text: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """One finding about a text.

    code: stable, `SEG` and four digits; `docs/errors/CODE.md` explains it.
    message: what is wrong, in lower case, the user's words in backticks.
    source, span: where; both None when the finding is not about a text (a database, say).
    label: a few words under the underlined span.
    why: where the expectation comes from, if that is not obvious.
    help: what to do about it.
    fix: edits that do it without changing what any rule means; empty if that takes its author.
    """

    code: str
    message: str
    source: Source | None = None
    span: Span | None = None
    label: str = ""
    why: str = ""
    help: str = ""
    severity: Severity = "error"
    fix: tuple[Edit, ...] = ()


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether some of them is an error, and not a warning."""
    return any(diagnostic.severity == "error" for diagnostic in diagnostics)


def in_order(sources: Sequence[Source], diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Diagnostics as a reader meets them: file by file, from top to bottom."""
    order = {source.name: index for index, source in enumerate(sources)}

    def place(diagnostic: Diagnostic) -> tuple[int, int]:
        source, span = diagnostic.source, diagnostic.span
        return (order.get(source.name, -1) if source else -1, span.start if span else -1)

    return tuple(sorted(dict.fromkeys(diagnostics), key=place))


class Errors(Exception):  # noqa: N818  (the public name of the API: it holds many errors)
    """Raised by the public API: holds every diagnostic of the run, `diagnostics`, at least one an error."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(f"{d.code}: {d.message}" for d in self.diagnostics))
