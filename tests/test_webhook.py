"""Changes that are posted: against a real server, which fails in all the ways in which servers do."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import segdsl
from segdsl.stream import webhook
from segdsl.stream.webhook import Retries, Webhook
from tests.support.following import ROOT, SEGDSL, START, project_in, visit, write

SECRET = "sesame"
FAST = Retries(most=4, first=0.01, longest=0.05)


class Server(ThreadingHTTPServer):
    """Answers with the given statuses, one after the other, and then always 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.heard: list[tuple[dict[str, str], dict[str, Any], bytes]] = []
        self.pause = 0.0
        self.talks = False  # an answer never ends
        self.mutters = False  # an answer never gets to its beginning

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Server)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.pause)
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.server.heard.append((dict(self.headers), json.loads(body), body))
        self.send_response(status)
        with suppress(OSError):
            while self.server.mutters:
                self.send_header("X-More", "to come")
                self.flush_headers()
                time.sleep(0.02)
        if status == 429:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "1000000" if self.server.talks else "0")
        self.end_headers()
        with suppress(OSError):
            while self.server.talks:
                self.wfile.write(b".")
                time.sleep(0.02)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


@pytest.fixture
def stream(tmp_path: Path) -> Iterator[segdsl.Stream]:
    with segdsl.load(project_in(tmp_path) / "segdsl.yml").follow(tmp_path / "state.db") as made:
        yield made


def some_changes(stream: segdsl.Stream, contacts: str) -> None:
    for contact in contacts:
        stream.push(visit(contact, "2026-03-01T00:00:00Z"))
    stream.advance(START + timedelta(days=4))


def dead(stream: segdsl.Stream) -> list[tuple[int, str]]:
    assert stream.follower.state is not None
    with sqlite3.connect(stream.follower.state.path) as state:
        return state.execute("SELECT number, reason FROM dead ORDER BY number").fetchall()


def finished(hook: Webhook) -> None:
    started = time.monotonic()
    while not hook.finish(0.1):
        assert time.monotonic() - started < 30
    hook.close()


def hook_of(stream: segdsl.Stream, url: str, retries: Retries = FAST) -> Webhook:
    assert stream.follower.state is not None
    return Webhook(stream.follower.state.path, url, SECRET, retries)


def test_each_change_is_posted_once_signed_and_in_order(stream: segdsl.Stream, server: Server) -> None:
    some_changes(stream, "abc")
    hook = hook_of(stream, server.url)
    finished(hook)
    assert [body["contact"] for _, body, _ in server.heard] == ["a", "b", "c"]
    headers, body, raw = server.heard[0]
    assert body == {"at": "2026-03-04T00:00:00Z", "segment": "quiet", "contact": "a", "change": "entered"}
    signed = hmac.new(SECRET.encode(), headers["X-Segdsl-Timestamp"].encode() + b"." + raw, hashlib.sha256)
    assert headers["X-Segdsl-Signature"] == f"sha256={signed.hexdigest()}"
    assert len({headers["Idempotency-Key"] for headers, _, _ in server.heard}) == 3
    assert (hook.told, hook.dead) == (3, 0)


def test_an_answer_that_never_ends_is_one(
    stream: segdsl.Stream, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.2)
    server.talks = True
    some_changes(stream, "ab")
    hook = hook_of(stream, server.url)
    finished(hook)
    assert [body["contact"] for _, body, _ in server.heard] == ["a", "b"]
    assert (hook.told, hook.dead) == (2, 0)


def test_an_answer_that_never_begins_is_not_waited_for(
    stream: segdsl.Stream, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "PATIENCE", 0.2)
    server.mutters = True
    some_changes(stream, "a")
    hook = hook_of(stream, server.url)
    assert not hook.finish(0.1)
    closing = threading.Thread(target=hook.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()
    server.mutters = False
    finished(hook_of(stream, server.url))
    assert [body["contact"] for _, body, _ in server.heard] == ["a", "a"]
    assert dead(stream) == []


def test_what_may_pass_is_tried_again_with_the_same_key(stream: segdsl.Stream, server: Server) -> None:
    server.statuses = [503, 429, 200, 500]
    some_changes(stream, "ab")
    finished(hook_of(stream, server.url))
    keys = [headers["Idempotency-Key"] for headers, _, _ in server.heard]
    assert len(keys) == 5
    assert len(set(keys[:3])) == len(set(keys[3:])) == 1
    assert dead(stream) == []


def test_what_will_not_pass_is_given_up_and_the_next_one_follows(stream: segdsl.Stream, server: Server) -> None:
    server.statuses = [404, 500, 500, 500, 500]
    some_changes(stream, "abc")
    hook = hook_of(stream, server.url)
    finished(hook)
    assert dead(stream) == [(1, "the answer was 404"), (2, "the answer was 500, 4 times")]
    assert [body["contact"] for _, body, _ in server.heard] == ["a", "b", "b", "b", "b", "c"]
    assert (hook.told, hook.dead) == (1, 2)


def test_no_connection_is_tried_again_until_it_is_there(stream: segdsl.Stream, server: Server) -> None:
    url = server.url
    some_changes(stream, "a")
    hook = hook_of(stream, "http://127.0.0.1:9/hook")
    finished(hook)
    [(number, reason)] = dead(stream)
    assert number == 1
    assert reason.startswith("ConnectError")
    finished(hook_of(stream, url))  # another sink has its own place in the log
    assert [body["contact"] for _, body, _ in server.heard] == ["a"]


def test_it_goes_on_where_it_stopped_and_the_stream_does_not_wait(stream: segdsl.Stream, server: Server) -> None:
    server.pause = 0.2
    hook = hook_of(stream, server.url)
    some_changes(stream, "abcdefgh")
    started = time.monotonic()
    hook.deliver()
    some_changes(stream, "abcdefghijk")
    assert time.monotonic() - started < 1.0
    hook.close()
    assert len(server.heard) < 8
    server.pause = 0.0
    finished(hook_of(stream, server.url))
    heard = [headers["Idempotency-Key"] for headers, _, _ in server.heard]
    assert len(set(heard)) == 11
    assert dead(stream) == []


def test_the_command_posts_what_it_prints(stream: segdsl.Stream, server: Server, tmp_path: Path) -> None:
    stream.close()
    write(tmp_path, visit("a", "2026-03-01T00:00:00Z"), {"at": "2026-03-09T00:00:00Z"})
    done = subprocess.run(
        [*SEGDSL, "follow", "events.jsonl", "--state", "posted.db", "--webhook", server.url], cwd=tmp_path,
        capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SEGDSL_WEBHOOK_SECRET": SECRET},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [body for _, body, _ in server.heard]
    assert "X-Segdsl-Signature" in server.heard[0][0]
    assert "1 change posted" in done.stderr
    done = subprocess.run(
        [*SEGDSL, "follow", "events.jsonl", "--state", "posted.db", "--webhook", "ftp://x"], cwd=tmp_path,
        capture_output=True, text=True, timeout=60, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, "no URL of a webhook" in done.stderr) == (2, True)
