"""Results as text: plain for a pipe, coloured and in tables for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, TextIO

from segdsl.core.time import isoformat
from segdsl.repl.results import Answer, Declared, Left, Listing, Problems, Refused, Result, Said, Sizes, Stopped
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.render import many, printable, render

if TYPE_CHECKING:
    from rich.console import Console

SIZE, FAINT, ERROR, HELP = "bold green", "dim", "bold red", "bold cyan"
BARS = 30  # the longest bar of `.segments`, in characters


class Screen:
    """Where results are written.

    A terminal gets everything on standard output. A pipe gets results there, and the rest on standard error.
    """

    def __init__(self, *, terminal: bool, color: bool, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.color = color
        self.terminal = terminal
        self.out = out or sys.stdout
        self.err = self.out if terminal else err or sys.stderr
        self._console: Console | None = None

    @property
    def console(self) -> Console:
        """The terminal through rich, which is imported when it is first needed."""
        if self._console is None:
            from rich.console import Console

            self._console = Console(
                file=self.out, force_terminal=self.terminal and self.color, no_color=not self.color,
                highlight=False, markup=False, emoji=False, soft_wrap=True,
            )  # fmt: skip
        return self._console

    def show(self, result: Result) -> int:
        """Write a result; gives what the exit code would be if it were the only one."""
        match result:
            case Answer():
                self.diagnostics(result.warnings)
                self._answer(result)
            case Declared():
                self.diagnostics(result.warnings)
                self._declared(result)
            case Problems(diagnostics):
                self.diagnostics(diagnostics)
                return 2 if any(found.code.startswith("SEG07") for found in diagnostics) else 1
            case Listing():
                self._listing(result)
            case Sizes():
                self._sizes(result)
            case Said(text):
                self.line((printable(text), ""))
            case Refused(message, help, environment):
                self.line(("error", ERROR), (f": {printable(message)}", "bold"), err=True)
                if help:
                    self.line(("  ", ""), ("help", HELP), (f": {printable(help)}", ""), err=True)
                return 2 if environment else 1
            case Stopped():
                self.line(("stopped", ""), err=True)
            case Left():
                pass
        return 0

    def line(self, *parts: tuple[str, str], err: bool = False) -> None:
        """One line: pieces of text, each with rich's name of its style."""
        text = "".join(piece for piece, _ in parts)
        stream = self.err if err else self.out
        if not (self.color and self.terminal):
            stream.write(text + "\n")
        else:
            from rich.text import Text

            self.console.print(Text.assemble(*parts))
        stream.flush()

    def diagnostics(self, found: Iterable[Diagnostic]) -> None:
        """Diagnostics with the place they are about."""
        text = render(found, color=self.color)
        if text:
            self.err.write(text + "\n")
            self.err.flush()

    # --- members ----------------------------------------------------------------------------------------------------

    def _answer(self, answer: Answer, name: str = "") -> None:
        share = f" ({100 * answer.size / answer.total:.1f}%)" if answer.total else ""
        self.line(
            (f"{name}: " if name else "", ""),
            (f"{answer.size} of {many(answer.total, 'contact')}{share}", SIZE),
            (f"  at {isoformat(answer.now)}, {_took(answer.seconds)}", FAINT),
        )
        if answer.sample:
            more = f" and {answer.size - len(answer.sample)} more" if answer.size > len(answer.sample) else ""
            self.line(("  " + ", ".join(printable(str(each)) for each in answer.sample), ""), (more, FAINT))

    def _declared(self, result: Declared) -> None:
        asked = {answer.name: answer for answer in result.answers}
        for name in result.names:
            if name in asked:
                self._answer(asked[name], name)
            else:
                self.line((f"{name}: a score that rules may ask now", ""))

    def _sizes(self, result: Sizes) -> None:
        wide = max(len(name) for name, _ in result.sizes)
        digits = len(str(max(size or 0 for _, size in result.sizes)))
        for name, size in result.sizes:
            if size is None:
                self.line((f"{name.ljust(wide)}  ", ""), ("has errors", ERROR))
                continue
            bar = "▇" * round(BARS * size / result.total) if result.total and self.terminal else ""
            self.line((f"{name.ljust(wide)}  ", ""), (f"{size:>{digits}}", SIZE), (f"  {bar}" if bar else "", FAINT))
        everyone = many(result.total, "contact")
        self.line((f"{everyone} at {isoformat(result.now)}, {_took(result.seconds)}", FAINT), err=True)

    def _listing(self, listing: Listing) -> None:
        if self.color and self.terminal and listing.language != "text":
            from rich.syntax import Syntax

            self.console.print(Syntax(listing.text, listing.language, theme="ansi_dark", background_color="default"))
        elif listing.language == "text":  # it may hold what the data holds
            self.out.write("\n".join(printable(line) for line in listing.text.split("\n")) + "\n")
        else:
            self.out.write(listing.text + "\n")
        self.out.flush()


def _took(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
