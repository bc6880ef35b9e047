"""Ctrl-C while a database thinks: most drivers wait for an answer in C, where Python hears no signals."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from segdsl.text.diagnostic import Errors

if TYPE_CHECKING:
    from segdsl.engines.engine import Engine


@contextmanager
def interruptible(engine: Engine) -> Iterator[None]:
    """A block in which Ctrl-C also stops what the engine is asked. It ends with KeyboardInterrupt as ever."""
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or signal.getsignal(signal.SIGINT) in (signal.SIG_IGN, None):
        yield
        return
    # The system writes a signal's number here at once, whatever Python is waiting for.
    heard, told = socket.socketpair()
    told.setblocking(False)
    stopped = threading.Event()

    def listen() -> None:
        while numbers := heard.recv(64):
            if signal.SIGINT in numbers:
                stopped.set()
                with suppress(Exception):
                    engine.interrupt()

    listener = threading.Thread(target=listen, name="segdsl interruption", daemon=True)
    listener.start()
    before = signal.set_wakeup_fd(told.fileno(), warn_on_full_buffer=False)
    try:
        yield
    except Errors:
        if stopped.is_set():  # the database's own words for it
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.set_wakeup_fd(before)
        told.close()  # ends the listener
        listener.join()
        heard.close()
