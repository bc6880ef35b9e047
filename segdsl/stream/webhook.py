"""Changes as HTTP requests: one after the other, in their order, by a thread that nothing else waits for.

Each change is a POST of its line. `Idempotency-Key` is the same however often it is sent; `X-Segdsl-Signature` is the
HMAC-SHA256 of `X-Segdsl-Timestamp`, a dot and the body, with the secret. An answer 2xx is delivery. What may pass (no
connection, 408, 425, 429, 5xx) is tried again, ever later; what will not, and what was tried too often, goes to the
state file's table `dead`, and the next change follows.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segdsl.stream.sinks import Sink
from segdsl.stream.state import State
from segdsl.stream.writing import text_of
from segdsl.text.diagnostic import Diagnostic, Errors

if TYPE_CHECKING:
    import httpx

PASSING = {408, 425, 429}  # and 5xx
PATIENCE = 10.0  # seconds for one answer


@dataclass(frozen=True)
class Retries:
    """How often a change is sent at most, and how many seconds lie before the second time; each later wait doubles.

    longest: of those waits, and of what a server asks for by `Retry-After`.
    """

    most: int = 10
    first: float = 0.5
    longest: float = 60.0


class Webhook(Sink):
    """Posts to a URL. Has a connection of its own to the state file.

    told: how many changes were delivered. dead: how many were given up.
    failed: what ended the thread, if anything did: it is raised by `deliver` and `finish`.
    Raises `Errors` (SEG0718) if httpx is not installed.
    """

    verb = "posted"

    def __init__(self, state: Path, url: str, secret: str | None, retries: Retries | None = None) -> None:
        try:
            import httpx
        except ImportError as error:
            help = 'pip install "segdsl[webhook]"'
            raise Errors([Diagnostic("SEG0718", "webhooks need the package `httpx`", help=help)]) from error
        super().__init__()
        self.failed: Exception | None = None
        self._path, self._url, self._secret, self._retries = state, url, secret, retries or Retries()
        self._client = httpx.Client(timeout=PATIENCE)
        self._sink = f"webhook {url}"
        self._more = threading.Event()
        self._finishing = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="segdsl webhook", daemon=True)
        self._thread.start()

    def deliver(self) -> None:
        """Wake the thread; does not wait for it."""
        self._more.set()
        if self.failed is not None:
            raise self.failed

    def finish(self, seconds: float) -> bool:
        """Wait until every change was delivered or given up, for so long at most; whether it is so."""
        self._finishing.set()
        self._more.set()
        self._thread.join(seconds)
        if self.failed is not None:
            raise self.failed
        return not self._thread.is_alive()

    def close(self) -> None:
        """Stop after the request at hand, or in the midst of one whose answer takes long to begin; the rest is sent
        when a follower is started again."""
        self._closed.set()
        self._more.set()
        self._thread.join(PATIENCE)
        self._client.close()

    def _run(self) -> None:
        try:
            state = State(self._path)
            try:
                self._send_all(state)
            finally:
                state.close()
        except Exception as error:
            self.failed = error

    def _send_all(self, state: State) -> None:
        self.last, _ = state.told(self._sink) or (0, 0)
        while not self._closed.is_set():
            finishing = self._finishing.is_set()  # asked before the changes: what was saved before is among them
            self._more.clear()
            for number, flip in list(state.changes(self.last)):
                reason = self._send(f"{state.name}-{number}", text_of(flip))
                if self._closed.is_set() and reason is not None:
                    return
                if reason is None:
                    state.tell(self._sink, number)
                    self.told += 1
                else:
                    state.bury(self._sink, number, reason)
                    self.dead += 1
                self.last = number
                if self._closed.is_set():
                    return
            if finishing:
                return
            self._more.wait()

    def _send(self, key: str, line: str) -> str | None:
        """Send one change until it is delivered: None. Otherwise why it was given up."""
        import httpx

        body = line.encode("utf-8", "backslashreplace")
        wait = self._retries.first
        reason = ""
        for attempt in range(self._retries.most):
            if attempt and self._closed.wait(min(wait, self._retries.longest)):
                return reason
            if attempt:
                wait *= 2
            try:
                answer = self._post(body, self._headers(key, body))
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}: {error}"
                continue
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                return f"{type(error).__name__}: {error}"
            if answer.is_success:
                return None
            reason = f"the answer was {answer.status_code}"
            if answer.status_code not in PASSING and answer.status_code < 500:
                return reason
            wait = max(wait, _asked(answer))
        return f"{reason}, {self._retries.most} times"

    def _post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """The answer, which is read, as the connection serves for the next request, but not for long."""
        began = time.monotonic()
        with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
            for _ in answer.iter_raw():
                if self._closed.is_set() or time.monotonic() - began > PATIENCE:
                    break
        return answer

    def _headers(self, key: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if self._secret is not None:
            stamp = str(int(time.time()))
            signed = hmac.new(self._secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            headers |= {"X-Segdsl-Timestamp": stamp, "X-Segdsl-Signature": f"sha256={signed}"}
        return headers


def _asked(answer: httpx.Response) -> float:
    """How many seconds a server asks to wait; 0 if it does not."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0
