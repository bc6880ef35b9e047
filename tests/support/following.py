"""A small project, lines for it, and `segdsl follow` run on them."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

PROJECT = """\
version: 1
timezone: Europe/Berlin
rules: ["*.seg"]
contacts:
  table: contacts
  key: id
  attributes:
    country: string
    plan: {enum: [free, pro], history: {table: plans, contact: id, time: at, value: plan}}
events:
  visited: {table: visits, contact: id, time: at, id: delivery, object: path, properties: {path: string}}
  opened email: {table: mails, contact: id, time: at}
  deal: {table: deals, contact: id, properties: {status: string}}
lists: {table: members, list: list, contact: id}
"""
RULES = """\
segment engaged "Engaged":
    visited "/pricing" >= 2 in 7d and opened email in 7d

segment quiet:
    not visited in 3d

segment german_pro:
    country = "DE" and plan = "pro" and not in list "staff"

segment cart:
    visited "/cart" then not visited "/paid" within 1d in 7d
"""
SEGDSL = [sys.executable, "-m", "segdsl"]
ROOT = Path(__file__).parents[2]
DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)


def project_in(folder: Path) -> Path:
    """The folder, with the project in it."""
    (folder / "segdsl.yml").write_text(PROJECT)
    (folder / "rules.seg").write_text(RULES)
    return folder


def visit(contact: str | int, at: str, path: str = "/pricing", **more: Any) -> dict[str, Any]:
    return {"contact": contact, "event": "visited", "at": at, "properties": {"path": path}, **more}


def write(folder: Path, *lines: dict[str, Any] | str, name: str = "events.jsonl") -> None:
    with (folder / name).open("a") as file:
        file.writelines((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)


def follow(folder: Path, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SEGDSL, "follow", *arguments], cwd=folder, input=given, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def killed(folder: Path, times: int, seed: int, *arguments: str) -> int:
    """`follow` in a folder, killed so many times at most before it may finish; how often it was."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.killing", str(folder), str(times), str(seed), *arguments], cwd=ROOT,
        capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def told(output: str) -> list[tuple[str, str, Any, str]]:
    return [tuple(json.loads(line).values()) for line in output.splitlines()]  # type: ignore[misc]


def random_lines(seed: int, count: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    now = START
    lines: list[dict[str, Any]] = []
    for number in range(count):
        now += timedelta(minutes=chance.randrange(90))
        at = now - timedelta(days=chance.choice([0, 0, 0, 0, 1, 5]), microseconds=chance.randrange(3))
        contact = chance.choice([*"abcdefgh", 1, 2])
        stamp = {"contact": contact, "at": at.isoformat().replace("+00:00", "Z")}
        match chance.randrange(10):
            case 0:
                lines.append({**stamp, "set": {"country": chance.choice(["DE", "FR", None])}})
            case 1:
                lines.append({**stamp, "set": {"plan": chance.choice(["free", "pro"])}})
            case 2:
                lines.append({**stamp, "lists": {"staff": chance.random() < 0.5}})
            case 3 | 4:
                lines.append({**stamp, "event": "opened email"})
            case 5 if number % 7 == 0:
                lines.append({**stamp, "deleted": True})
            case _:
                path = chance.choice(["/pricing", "/cart", "/paid"])
                lines.append({**visit(contact, stamp["at"], path), "id": f"d{chance.randrange(count)}"})
    return lines
