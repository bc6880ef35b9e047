"""Waiting for an answer, with a hand on Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from itertools import count

from segdsl.repl.results import Result
from segdsl.repl.session import Session

POLL = 0.05  # seconds between two looks at whether somebody pressed Ctrl-C
PATIENCE = 8  # looks until the person who waits is told so


def attended(
    session: Session, text: str, waiting: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Result | None:
    """`session.answer(text)`, asked in a thread, so that Ctrl-C stops the question and not the program.

    waiting: what to show while it takes long. A stopped question gives `Stopped`. To be called by the main thread.
    """
    box: list[Result | BaseException | None] = []
    done, stopping = threading.Event(), threading.Event()

    def ask() -> None:
        try:
            box.append(session.answer(text))
        except BaseException as error:  # only with SEGDSL_DEBUG
            box.append(error)
        finally:
            done.set()

    with _ctrl_c(stopping.set), ExitStack() as shown:
        threading.Thread(target=ask, name="segdsl question", daemon=True).start()
        for waited in count(1):
            if done.wait(POLL):
                break
            if stopping.is_set():
                session.interrupt()  # more than once: it may come between two statements
            if waited == PATIENCE:
                shown.enter_context(waiting())
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]


@contextmanager
def _ctrl_c(then: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C does this instead of raising KeyboardInterrupt.

    An exception could come between any two steps, and leave the program with a question that still runs.
    """
    before = signal.getsignal(signal.SIGINT)
    if before in (signal.SIG_IGN, None):  # whoever started us wants no interruptions
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: then())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
