"""`segdsl check --streaming`: what a stream keeps for each test; and that it keeps no more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from segdsl.catalog import load_text
from segdsl.cli.main import cli
from segdsl.core.story import Happened
from segdsl.core.time import DAY
from segdsl.stream.costs import costs
from segdsl.stream.evaluator import Evaluator
from segdsl.stream.lines import Line
from tests.support.world import instant, program_of

CATALOG = """\
version: 1
contacts:
  table: people
  key: id
  attributes:
    country: string
    signup date: timestamp
    plan: {type: string, history: {table: plans, contact: id, time: at, value: plan}}
    seats: {type: int, history: {table: plans, contact: id, time: at, value: seats}}
events:
  visited: {table: visits, time: at, object: path, properties: {path: string}}
  purchased: {table: orders, time: at, properties: {amount: "decimal(12,2)"}}
  paid: {table: payments, time: at, id: payment}
  deal: {table: deals, properties: {size: int}}
"""
CASES = {
    'country = "DE"': ("nothing", "no events"),
    "signup date in 30d": ("nothing", "no events"),
    'plan = "pro"': ("values", "every value of `plan`"),
    'plan changed to "pro" in 7d': ("values", "every value of `plan`"),
    "sum(amount of purchased in 7d) > seats": ("window", "the events of 7d, and every value of `seats`"),
    'visited "/a" >= 3 in 30d': ("instants", "the last 3 instants"),
    "visited": ("instants", "the last instant"),
    "visited 2 to 4 times in 3d": ("instants", "the last 5 instants"),
    "visited this week": ("window", "the events of its windows"),
    "sum(amount of purchased in 30d) > 2 * sum(amount of purchased between 30d and 60d ago)":
        ("window", "the events of 60d"),
    "visited then not purchased within 1d in 7d": ("window", "the events of 7d"),
    "visited without purchased within 3d before in 7d": ("window", "the events of 10d"),
    "visited without any purchased in 7d": ("history", "must never have happened"),
    "visited >= 3 within 1h in 2mo": ("window", "the events since 2mo ago"),
    "sum(amount of purchased) > 10": ("history", "all time"),
    "visited within 7d after signup date": ("history", "around an instant"),
    "paid in 7d": ("history", "`payment`"),
    "sum(size of deal) > 1": ("history", "without a time"),
}  # fmt: skip


@pytest.mark.parametrize("rule", CASES)
def test_what_a_test_keeps(rule: str, tmp_path: Path) -> None:
    catalog, found = load_text(CATALOG, "segdsl.yml", tmp_path)
    assert catalog is not None, found
    [cost] = costs(program_of(f"segment s:\n    {rule}\n", catalog), catalog)
    kept, words = CASES[rule]
    assert cost.kept == kept
    assert words in (cost.why if kept == "history" else cost.keeps)


def test_it_keeps_no_more(tmp_path: Path) -> None:
    """Of ten thousand events: three instants for a count, and those of the window for a sum."""
    catalog, _ = load_text(CATALOG, "segdsl.yml", tmp_path)
    assert catalog is not None
    rules = "segment a:\n    visited >= 3 in 30d\nsegment b:\n    sum(amount of purchased in 7d) > 100\n"
    stream = Evaluator(catalog, program_of(rules, catalog))
    start, step = instant("2026-01-01T00:00Z"), DAY // 10
    for number in range(10_000):
        kind = ("visited", "purchased")[number % 2]
        stream.push(Line(start + number * step, "c", (Happened(start + number * step, kind, {"amount": 1}),)))
    person = stream.people["c"]
    assert [len(times) for times in person.latest.values()] == [3]
    assert set(person.events) == {"purchased"}
    assert len(person.events["purchased"]) <= 2 * 7 * 5 + 2
    assert len(stream._timers) < 10


def test_what_must_never_have_happened_is_not_forgotten(tmp_path: Path) -> None:
    """However short the window of the sequence is, and though another test lets go of such events."""
    catalog, _ = load_text(CATALOG, "segdsl.yml", tmp_path)
    assert catalog is not None
    rules = "segment a:\n    visited without any purchased in 7d\n"
    rules += "segment b:\n    sum(amount of purchased in 2d) > 0\n"
    stream = Evaluator(catalog, program_of(rules, catalog))
    start = instant("2026-01-01T00:00Z")
    told = [*((day, "purchased") for day in (0, 60, 90, 91)), (120, "visited")]
    for clock in (start, start + 100 * DAY):  # in time, and late
        stream.advance(clock)
        name = str(clock)
        for day, kind in told:
            at = start + day * DAY
            stream.push(Line(at, name, (Happened(at, kind, {"amount": 1}),)))
    assert list(stream.members()) == []


def test_the_command_prints_a_table_and_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "segdsl.yml").write_text(CATALOG + 'rules: ["*.seg"]\n')
    (tmp_path / "a.seg").write_text("segment a:\n    visited >= 3 in 30d and sum(amount of purchased) > 10\n")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["check", "--streaming"])
    assert done.exit_code == 0
    assert "a        visited >= 3 in 30d" in done.stdout
    assert "the last 3 instants" in done.stdout
    assert "warning[SEG0730]: a stream keeps every event for `sum(amount of purchased) > 10`" in done.stderr
    done = CliRunner().invoke(cli, ["check", "--streaming", "--format", "json"])
    assert [finding["code"] for finding in json.loads(done.stdout)] == ["SEG0730"]
