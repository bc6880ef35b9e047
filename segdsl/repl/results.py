"""What a session answers: plain data, for a terminal, a pipe or a test to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from segdsl.text.diagnostic import Diagnostic

Member = str | int


@dataclass(frozen=True)
class Answer:
    """The members of a rule or of a segment that was declared.

    name: of the segment; `rule` for a bare rule. size: how many of `total` contacts are in, at `now`.
    sample: the first of them, by id. seconds: what asking took. warnings: lints of the rule.
    """

    name: str
    size: int
    total: int
    sample: tuple[Member, ...]
    now: int
    seconds: float
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Declared:
    """Segments and scores that the session knows from now on; the members of the segments, the lints of all."""

    names: tuple[str, ...]
    answers: tuple[Answer, ...]
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True)
class Problems:
    """The errors (and warnings) of what was typed, or what the database had to say."""

    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Listing:
    """A text to read as it is: SQL, Python, an explanation."""

    text: str
    language: Literal["sql", "python", "text"]


@dataclass(frozen=True)
class Sizes:
    """Every segment with its size, by name; None for one that has errors."""

    sizes: tuple[tuple[str, int | None], ...]
    total: int
    now: int
    seconds: float


@dataclass(frozen=True)
class Said:
    """Something was done, and this is what."""

    text: str


@dataclass(frozen=True)
class Refused:
    """A command that cannot be followed, and what to do instead. `environment`: the reason lies outside segdsl."""

    message: str
    help: str = ""
    environment: bool = False


@dataclass(frozen=True)
class Stopped:
    """The question was interrupted."""


@dataclass(frozen=True)
class Left:
    """The person wants to go."""


Result = Answer | Declared | Problems | Listing | Sizes | Said | Refused | Stopped | Left
