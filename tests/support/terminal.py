"""A program on a pseudo-terminal: type keys, wait for what it shows."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

ENTER, TAB, ALT_ENTER, UP = "\r", "\t", "\x1b\r", "\x1b[A"
CTRL_C, CTRL_D = "\x03", "\x04"
_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[=>78]|\r")
PATIENCE = 60  # seconds until a text that does not come fails the test; nothing waits this long otherwise


def screen(raw: str) -> list[str]:
    """The lines that a terminal shows after some output, from the first on: what is drawn over is gone.

    Knows the movements and erasures that prompt_toolkit and rich use; lines are as long as they are.
    """
    rows: list[list[str]] = [[]]
    row = column = 0
    for match in re.finditer(_SEQUENCE.pattern + r"|\n|\x08|[^\x00-\x1f]", raw):
        piece = match[0]
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row += 1
        elif piece == "\x08":
            column = max(0, column - 1)
        elif not piece.startswith("\x1b"):
            line = rows[row]
            line += " " * (column + 1 - len(line))
            line[column] = piece
            column += 1
        elif piece.startswith("\x1b[") and "?" not in piece:
            count = int(piece[2:-1].split(";")[0] or 1) if piece[2:-1].isdigit() or piece[2:-1] == "" else 1
            match piece[-1]:
                case "A":
                    row = max(0, row - count)
                case "B":
                    row += count
                case "C":
                    column += count
                case "D":
                    column = max(0, column - count)
                case "K":
                    del rows[row][0 if piece[2:-1] == "2" else column :]
                case "J":
                    del rows[row][column:], rows[row + 1 :]
        while len(rows) <= row:
            rows.append([])
    return ["".join(line).rstrip() for line in rows]


class Terminal:
    """A running program. Every wait is for a text, never for a time."""

    def __init__(self, command: Sequence[str], cwd: Path, env: Mapping[str, str], columns: int = 100) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        # The terminal is the child's controlling one, so that Ctrl-C reaches it as a terminal's would.
        self.process = subprocess.Popen(
            command, cwd=cwd, stdin=slave, stdout=slave, stderr=slave, env={**os.environ, "TERM": "xterm", **env},
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)
        self.raw = ""
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._master)

    @property
    def text(self) -> str:
        """All that was shown so far, without colours and movements."""
        return _SEQUENCE.sub("", self.raw)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait(self, *wanted: str) -> str:
        """Wait until each text was shown, one behind the other and behind the last wait; gives what came by then."""
        shown = ""
        for each in wanted:
            deadline = time.monotonic() + PATIENCE
            while (at := self.text.find(each, self._seen)) < 0:
                assert self._read(deadline), f"{each!r} did not come; this did:\n{self.text[self._seen :]}"
            shown += self.text[self._seen : at + len(each)]
            self._seen = at + len(each)
        return shown

    def end(self) -> int:
        """Wait until the program has ended: its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, deadline: float) -> bool:
        """Take what the program shows next; False if it ended or nothing came in time."""
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += data.decode("utf-8", "replace")
        return bool(data)
