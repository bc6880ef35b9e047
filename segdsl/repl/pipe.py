"""The prompt without a terminal: rules come line by line, answers go out as plain text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from segdsl.repl.attend import attended
from segdsl.repl.results import Left, Stopped
from segdsl.repl.session import Session
from segdsl.repl.show import Screen
from segdsl.repl.tokens import is_declaration, unfinished


def run_pipe(session: Session, lines: Iterable[str], screen: Screen) -> int:
    """Answer everything that the lines hold.

    The exit code: 0, 1 if some rule or command was wrong, 2 if the database or a file was. Raises KeyboardInterrupt.
    """
    code = 0
    for text in texts(lines):
        result = attended(session, text)
        if isinstance(result, Left):
            break
        if isinstance(result, Stopped):
            raise KeyboardInterrupt
        if result is not None:
            code = max(code, screen.show(result))
    return code


def texts(lines: Iterable[str]) -> Iterator[str]:
    """Lines put together: a rule ends as soon as it can, a declaration before a line that is not indented."""
    pending = ""
    for line in lines:
        line = line.rstrip("\r\n")
        if pending and not unfinished(pending) and not (line[:1].isspace() and line.strip()):
            yield pending
            pending = ""
        pending = f"{pending}\n{line}" if pending else line
        below = is_declaration(pending) and "\n" in pending
        if not unfinished(pending) and not below:
            yield pending
            pending = ""
    if pending:
        yield pending
