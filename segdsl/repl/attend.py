"""Waiting for an answer, with a hand on Ctrl-C."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from segdsl.repl.results import Result
from segdsl.repl.session import Session

PATIENCE = 0.4  # seconds until somebody who waits is told so
POLL = 0.05


def attended(
    session: Session, text: str, waiting: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Result | None:
    """`session.answer(text)`, asked in a thread, so that Ctrl-C stops the question and not the program.

    waiting: what to show while it takes long. A stopped question gives `Stopped`.
    """
    box: list[Result | BaseException | None] = []

    def ask() -> None:
        try:
            box.append(session.answer(text))
        except BaseException as error:  # only with SEGDSL_DEBUG
            box.append(error)
        finally:
            done.set()

    # An event, since a `join` that Ctrl-C interrupts takes the thread for ended (Python 3.11).
    done = threading.Event()
    stopping = False
    waited = 0.0
    shown: AbstractContextManager[object] | None = None
    threading.Thread(target=ask, name="segdsl question", daemon=True).start()
    while not done.is_set():
        try:
            if stopping:
                session.interrupt()  # more than once: it may come between two statements
            done.wait(POLL)
            waited += POLL
            if shown is None and waited >= PATIENCE and not done.is_set():
                shown = waiting()
                shown.__enter__()
        except KeyboardInterrupt:
            stopping = True
    if shown is not None:
        shown.__exit__(None, None, None)
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]
