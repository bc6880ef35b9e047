"""The prompt on a terminal: editing, completion and history by prompt_toolkit."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from importlib.metadata import version
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer
from prompt_toolkit.completion import Completion as Shown
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth

from segdsl.core.time import isoformat
from segdsl.repl.attend import attended
from segdsl.repl.completion import complete
from segdsl.repl.results import Left
from segdsl.repl.session import Session
from segdsl.repl.show import FAINT, Screen
from segdsl.repl.tokens import unfinished

INDENT = "    "


def run_terminal(session: Session, screen: Screen) -> int:
    """Answer until Ctrl-D or `.quit`. Ctrl-C empties the line, or stops the question that is being asked."""
    editor: PromptSession[str] = PromptSession(
        history=history(),
        completer=Names(session),
        complete_while_typing=False,
        multiline=True,
        key_bindings=bindings(),
        prompt_continuation=lambda width, line, wrapped: "... ".rjust(width),
        color_depth=None if screen.color else ColorDepth.DEPTH_1_BIT,
    )
    screen.line((f"segdsl {version('segdsl')}; `.help` tells what can be typed, Tab completes, Ctrl-D leaves", FAINT))
    while True:
        try:
            text = editor.prompt(prompt(session))
            result = attended(session, text, lambda: waiting(screen))
        except KeyboardInterrupt:
            continue
        except EOFError:
            return 0
        if isinstance(result, Left):
            return 0
        if result is not None:
            screen.show(result)
            screen.line(("", ""))


def prompt(session: Session) -> str:
    """What stands before the cursor: the instant that is asked about."""
    moment = "now" if session.now is None else isoformat(session.now).removesuffix("T00:00:00Z")
    return f"segdsl {moment}> "


def waiting(screen: Screen) -> AbstractContextManager[object]:
    """Something that moves, and the way out."""
    return screen.console.status("asking the database; Ctrl-C stops")


def bindings() -> KeyBindings:
    """Enter sends what is finished and goes on with what is not; Alt-Enter always begins a new line."""
    keys = KeyBindings()

    @keys.add("enter")
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state and buffer.complete_state.current_completion:
            buffer.complete_state = None  # the completion is taken
        elif unfinished(buffer.text):
            buffer.insert_text("\n" + INDENT)
        else:
            buffer.validate_and_handle()

    @keys.add("escape", "enter")
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n" + INDENT)

    return keys


class Names(Completer):
    """The session's completions, as prompt_toolkit wants them."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Shown]:
        cursor = document.cursor_position
        for found in complete(document.text, cursor, self.session.catalog, self.session.names()):
            yield Shown(found.text, start_position=found.start - cursor, display_meta=found.meta)


# --- history ----------------------------------------------------------------------------------------------------


def history() -> History:
    """What was typed before, in a file that only its owner can read; in memory if there can be no such file."""
    path = history_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("ab"):
            return FileHistory(str(path))
    except OSError:
        return InMemoryHistory()


def history_path() -> Path:
    """`segdsl/history` in the folder where this system keeps a user's state, never in the project."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path.home() / ".local" / "state"
    given = os.environ.get("XDG_STATE_HOME", "")
    return (Path(given) if Path(given).is_absolute() else base) / "segdsl" / "history"
