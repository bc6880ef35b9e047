"""How far a long answer is: a line on standard error where that is a terminal, and nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from segdsl.cli.common import colored

if TYPE_CHECKING:
    from rich.status import Status

T = TypeVar("T")
STEP = 10_000  # things between two looks at the line


class Progress:
    """A context manager; `done` counts the things that went by, whether they are shown or not.

    title: what is being done until the first thing is there.
    mixed: whether the things themselves go to the terminal: the line makes room for the first of them.
    """

    def __init__(self, title: str, mixed: bool = False) -> None:
        self.done = 0
        self._mixed = mixed
        self._status: Status | None = None
        if sys.stderr.isatty():
            from rich.console import Console

            console = Console(stderr=True, no_color=not colored(sys.stderr))
            self._status = console.status(title, spinner="line")

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def over(self, things: Iterable[T], what: str) -> Iterator[T]:
        """The things, counted on their way; `what` is their name in the plural."""
        self.done = 0
        for self.done, thing in enumerate(things, 1):
            if self._status is not None and self.done % STEP == 1:
                if self._mixed:
                    self._status.stop()
                else:
                    self._status.update(f"{self.done - 1:,} {what}")
            yield thing
