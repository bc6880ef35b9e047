"""`Project.follow`: lines in, changes out, and a state that goes on where it was left."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

import segdsl
from segdsl.core.time import isoformat
from segdsl.stream.state import Batch, State
from tests.support.following import DAY, START, project_in, random_lines, visit
from tests.support.world import instant


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project_in(tmp_path)


# --- the API --------------------------------------------------------------------------------------------------


def test_a_contact_enters_on_an_event_and_leaves_by_the_clock(folder: Path) -> None:
    project = segdsl.load(folder / "segdsl.yml")
    stream = project.follow()
    assert stream.now is None
    assert stream.push(visit("c17", "2026-03-01T09:30:00Z")) == []
    assert stream.push(visit("c17", "2026-03-02T09:30:00Z")) == []
    [entered] = stream.push({"contact": "c17", "event": "Opened Email", "at": "2026-03-02T09:31:00Z"})
    assert entered == segdsl.Change(entered.at, "engaged", "c17", True)
    assert isoformat(round(entered.at.timestamp() * 10**6)) == "2026-03-02T09:31:00Z"
    assert entered.at.utcoffset() == timedelta(hours=1)  # Berlin in winter
    changes = stream.advance(datetime(2026, 3, 20, tzinfo=UTC))
    assert [(change.segment, change.at.astimezone(UTC).isoformat(), change.entered) for change in changes] == [
        ("quiet", "2026-03-05T09:30:00+00:00", True),
        ("engaged", "2026-03-08T09:30:00+00:00", False),
    ]
    assert list(stream.members()) == [("quiet", "c17")]


def test_late_lines_count_from_now_on_and_future_ones_wait(folder: Path) -> None:
    stream = segdsl.load(folder / "segdsl.yml").follow()
    stream.advance(START + 10 * DAY)
    [change] = stream.push({"contact": 5, "set": {"country": "DE"}, "at": "2026-03-01T00:00:00Z"})
    assert (change.segment, change.at, change.contact) == ("quiet", START + 10 * DAY, 5)
    [change] = stream.push(visit(5, "2026-03-10T12:00:00Z"))
    assert (change.segment, change.at, change.entered) == ("quiet", START + 10 * DAY, False)
    [change] = stream.advance(START + 30 * DAY)
    assert change.at == datetime(2026, 3, 13, 12, tzinfo=UTC)


def test_deliveries_of_one_id_count_once_as_the_earliest(folder: Path) -> None:
    stream = segdsl.load(folder / "segdsl.yml").follow()
    stream.push(visit("a", "2026-03-03T00:00:00Z", id="x"))
    stream.push(visit("a", "2026-03-03T00:00:00Z", id="x"))
    stream.push(visit("a", "2026-03-01T00:00:00Z", id="x"))  # late: the visit was two days earlier
    [change] = stream.advance(START + 4 * DAY)
    assert (change.segment, change.at) == ("quiet", START + 3 * DAY)


def test_a_deleted_contact_leaves_and_may_come_back(folder: Path) -> None:
    stream = segdsl.load(folder / "segdsl.yml").follow(folder / "state.db")
    stream.push(visit("a", "2026-03-01T00:00:00Z"))
    stream.advance(START + 5 * DAY)
    [change] = stream.push({"contact": "a", "deleted": True, "at": "2026-03-07T00:00:00Z"})
    assert (change.segment, change.entered) == ("quiet", False)
    assert list(stream.members()) == []
    stream.close()
    with sqlite3.connect(folder / "state.db") as state:
        assert state.execute("SELECT count(*) FROM lines").fetchone() == (0,)
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        assert list(stream.members()) == []
        [change] = stream.push({"contact": "a", "set": {"country": "DE"}, "at": "2026-03-08T00:00:00Z"})
        assert (change.segment, change.entered) == ("quiet", True)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('{"contact": "a"', "no JSON"),
        ("[1]", "no JSON object"),
        ("[" * 100_000, "no JSON|nested too deeply"),
        ({"contact": "a", "event": "visitd", "at": "2026-03-01T00:00:00Z"}, "did you mean `visited`"),
        ({"contact": "a", "event": "visited"}, "needs the field `at`"),
        ({"contact": "a", "event": "visited", "at": "yesterday"}, '`at` is no time: "yesterday"'),
        ({"contact": None, "event": "visited", "at": "2026-03-01T00:00:00Z"}, "not null"),
        ({"contact": "a", "event": "visited", "at": "0001-01-01T00:00:00+14:00"}, "outside the years 1 to 9999"),
        ({"at": "9999-12-31T23:59:59-14:00"}, "outside the years 1 to 9999"),
        ('{"at": "2026-03-01"} x', "no JSON: Extra data, at character 22"),
        (
            {
                "contact": "a",
                "history": {"plan": [["2026-03-01T00:00:00.000001Z", "pro"]]},
                "at": "2026-03-01T00:00:00Z",
            },
            "is later: tell it by `set`",
        ),
        ({"contact": "a", "event": "visited", "at": "2026-03-01T00:00:00Z", "properties": 1}, "an object of names"),
        ({"contact": True, "set": {"country": "DE"}}, "text or a whole number"),
        ({"contact": 2**63, "set": {"country": "DE"}}, "no database"),
        ({"contact": "\ud800", "set": {"country": "DE"}}, "no database"),
        ({"contact": "a", "lists": {}}, "an object of names and values"),
        ({"contact": "a", "alias": "a"}, "another id"),
        ({"contact": "a", "alias": True}, "`alias` is a text or a whole number"),
        ({"contact": "a", "history": {"country": []}}, "no history of `country`"),
        ({"contact": "a", "history": {"plan": [["soon", "pro"]]}}, "pairs of a time and a value"),
        ({"contact": "a", "has": {"visited": []}}, "`visited` has a time"),
        ({"contact": "a", "has": {"deal": [1]}}, "a list of properties"),
        ({"contact": "a", "set": {"contry": "DE"}}, "did you mean `country`"),
        ({"contact": "a", "lists": {"staff": 1}}, "true or false"),
        ({"contact": "a", "event": "visited", "set": {"country": "DE"}}, "one thing"),
        ({"contact": "a", "at": "2026-03-01T00:00:00Z"}, "one thing"),
        ({"at": "2026-03-01T00:00:00Z", "properties": {}}, "needs the field `contact`"),
        ({"contact": "a", "evnt": "visited"}, "no field `evnt`"),
        ({}, "needs the field `contact`"),
    ],
)
def test_lines_that_cannot_be_read_say_why_and_change_nothing(folder: Path, line: Any, words: str) -> None:
    stream = segdsl.load(folder / "segdsl.yml").follow(folder / "state.db")
    stream.advance(START)
    with pytest.raises(ValueError, match=words):
        stream.push(line)
    assert list(stream.members()) == []
    assert not stream.push(visit("a", "2026-03-01T00:00:00Z"))


def test_lines_are_restored_in_the_order_in_which_they_counted(folder: Path) -> None:
    """A history that waited was told after a value that came later, and has taken its place."""
    project = segdsl.load(folder / "segdsl.yml")
    with project.follow(folder / "state.db") as stream:
        stream.push({"contact": "a", "set": {"country": "DE"}, "at": "2026-03-01T00:00:00Z"})
        assert stream.follower.clock is not None
        waits = {"contact": "a", "history": {"plan": [["2026-03-01T00:00:00Z", "pro"]]}, "at": "2026-03-10T00:00:00Z"}
        stream.follower.take([(waits, json.dumps(waits))], None, stream.follower.clock)
        stream.push({"contact": "a", "set": {"plan": "free"}, "at": "2026-03-05T00:00:00Z"})
        assert "german_pro" in [change.segment for change in stream.push({"at": "2026-03-10T00:00:00Z"})]
    with project.follow(folder / "state.db") as stream:
        assert not stream.resumed and ("german_pro", "a") in set(stream.members())


def test_an_id_that_was_given_away_while_a_line_waited_is_refused(folder: Path) -> None:
    """The first that counts has it, whatever the ids are, and whichever line came first."""
    project = segdsl.load(folder / "segdsl.yml")
    later = {"contact": "a", "alias": "x", "at": "2026-03-02T00:00:00Z"}
    with project.follow(folder / "state.db") as stream:
        stream.push({"at": "2026-03-01T00:00:00Z"})
        assert not stream.follower.take([(later, json.dumps(later))], None, stream.follower.clock).refused
        stream.push({"contact": "b", "alias": "x", "at": "2026-03-01T00:00:00Z"})
        with pytest.raises(ValueError, match="`x` is an alias of `b` already: an id has one owner"):
            stream.push({"contact": "c", "alias": "x", "at": "2026-03-01T00:00:00Z"})
        told = stream.follower.take([({"at": "2026-03-02T00:00:00Z"}, "")])
        assert told.refused == [(json.dumps(later), "`x` is an alias of `b` already: an id has one owner")]
    with project.follow(folder / "state.db") as stream:
        assert dict(stream.follower.owners) == {"x": "b"} and list(stream.follower.people) == ["b"]
    with sqlite3.connect(folder / "state.db") as state:
        assert state.execute("SELECT line FROM refused").fetchall() == [(json.dumps(later),)]


def test_what_came_before_any_time_did_waits_after_a_restart_too(folder: Path) -> None:
    project = segdsl.load(folder / "segdsl.yml")
    line = {"contact": "a", "set": {"country": "DE"}, "at": "2026-03-05T00:00:00Z"}
    with project.follow(folder / "state.db") as stream:
        stream.follower.take([(line, json.dumps(line))], None, instant("2026-03-01T00:00:00Z"))
        assert (stream.follower.clock, stream.follower.waiting) == (None, 1)
    with project.follow(folder / "state.db") as stream:
        assert (stream.follower.clock, stream.follower.waiting) == (None, 1)
        [change] = stream.advance(START + 5 * DAY)
        assert (change.segment, change.at) == ("quiet", START + 4 * DAY)


def test_an_alias_takes_no_lines_that_came_when_it_was_none_any_more(folder: Path) -> None:
    """All in one batch: the contact is deleted, and with it the alias, before a line comes under that id again."""
    project = segdsl.load(folder / "segdsl.yml")
    news = [
        {"contact": "a", "alias": "x", "at": "2026-03-01T00:00:00Z"},
        {"contact": "a", "deleted": True, "at": "2026-03-02T00:00:00Z"},
        visit("x", "2026-03-02T00:00:00Z"),
    ]
    with project.follow(folder / "state.db") as stream:
        stream.follower.take([(line, json.dumps(line)) for line in news])
        assert list(stream.follower.people) == ["x"]
    with project.follow(folder / "state.db") as stream:
        assert list(stream.follower.people) == ["x"]


def test_two_contacts_that_are_joined_are_what_one_would_be(folder: Path) -> None:
    """A history replaces what came before it of the other one, too, and nothing that came after it."""
    project = segdsl.load(folder / "segdsl.yml")
    with project.follow(folder / "state.db") as stream:
        for contact, news, hour in [
            ("x", {"set": {"plan": "pro"}}, 1),
            ("a", {"history": {"plan": [["2026-03-01T00:30:00Z", "free"]]}}, 2),
            ("x", {"has": {"deal": [{"status": "open"}]}}, 3),
            ("a", {"set": {"country": "DE"}}, 4),
            ("a", {"alias": "x"}, 5),
        ]:
            stream.push({"contact": contact, **news, "at": f"2026-03-01T0{hour}:00:00Z"})
        assert ("german_pro", "a") not in set(stream.members())
        stream.push({"contact": "x", "set": {"plan": "pro"}, "at": "2026-03-01T01:30:00Z"})  # late, and after that
        assert ("german_pro", "a") in set(stream.members())
    with project.follow(folder / "state.db") as stream:
        assert not stream.resumed and ("german_pro", "a") in set(stream.members())


# --- state ----------------------------------------------------------------------------------------------------


def test_a_stream_goes_on_where_it_was_closed(folder: Path) -> None:
    """Closed after every few lines, it says what one says that was never closed."""
    lines = random_lines(1, 400)
    project = segdsl.load(folder / "segdsl.yml")
    once = project.follow()
    expected = [change for line in lines for change in once.push(line)]
    found = []
    for start in range(0, len(lines), 23):
        with project.follow(folder / "state.db") as stream:
            assert stream.resumed == []
            found += [change for line in lines[start : start + 23] for change in stream.push(line)]
    assert found == expected
    assert len(expected) > 50
    with project.follow(folder / "state.db") as stream:
        assert sorted(map(str, stream.members())) == sorted(map(str, once.members()))


def test_changed_rules_change_members_when_the_stream_goes_on(folder: Path) -> None:
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        stream.push(visit("a", "2026-03-01T00:00:00Z"))
        stream.push(visit("b", "2026-03-04T12:00:00Z"))
        assert list(stream.members()) == [("quiet", "a")]
    rules = (folder / "rules.seg").read_text()
    (folder / "rules.seg").write_text(rules.replace("visited in 3d", "visited in 6h") + "segment all:\n    everyone\n")
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        assert [(c.segment, c.contact, c.entered) for c in stream.resumed] == [("all", "a", True), ("all", "b", True)]
        [change] = stream.advance(START + 4 * DAY)
        assert change.at == datetime(2026, 3, 4, 18, tzinfo=UTC)


def test_what_the_catalog_lacks_now_takes_nothing_else_away(folder: Path) -> None:
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        stream.push({"contact": "a", "set": {"country": "DE", "plan": "pro"}, "at": "2026-03-01T00:00:00Z"})
        stream.push(visit("a", "2026-03-01T00:00:00Z"))
        stream.push({"contact": "a", "event": "deal", "properties": {"status": "open"}})
        members = set(stream.members())
    project = (folder / "segdsl.yml").read_text()
    (folder / "segdsl.yml").write_text(project.replace(", object: path, properties: {path: string}", ""))
    (folder / "rules.seg").write_text(
        'segment german_pro:\n    country = "DE" and plan = "pro"\n\nsegment quiet:\n    not visited in 3d\n'
    )
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        assert stream.resumed == []
        assert (set(stream.members()), stream.dropped) == (members, 0)
    deal = "  deal: {table: deals, contact: id, properties: {status: string}}\n"
    (folder / "segdsl.yml").write_text(project.replace(deal, ""))
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        assert (set(stream.members()), stream.dropped) == (members, 1)


def test_mappings_of_any_kind_are_remembered(folder: Path) -> None:
    fields = MappingProxyType({**visit("a", "2026-03-01T00:00:00Z"), "properties": MappingProxyType({"path": "/cart"})})
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        stream.push(fields)
    with segdsl.load(folder / "segdsl.yml").follow(folder / "state.db") as stream:
        [change] = [change for change in stream.advance(START + 2 * DAY) if change.segment == "cart"]
        assert change.at == START + DAY


def test_a_state_file_that_cannot_be_used_says_so(folder: Path) -> None:
    project = segdsl.load(folder / "segdsl.yml")
    (folder / "text.db").write_text("no database at all, but long enough to have a header of one" * 20)
    with sqlite3.connect(folder / "other.db") as other:
        other.execute("CREATE TABLE t (a)")
    for name, words in [
        ("text.db", "not a database"),
        ("other.db", "another program's"),
        ("no/where.db", "No such file"),
    ]:
        with pytest.raises(segdsl.Errors, match=words) as raised:
            project.follow(folder / name)
        assert raised.value.diagnostics[0].help
    with project.follow(folder / "state.db") as stream:
        stream.push(visit("a", "2026-03-01T00:00:00Z"))
        (folder / "linked.db").symlink_to("state.db")
        with pytest.raises(segdsl.Errors, match="this process follows with"):
            project.follow(folder / "linked.db")
        with closing(State(folder / "state.db")) as other:  # where there are no locks
            other.save(Batch(), 0)
        with pytest.raises(segdsl.Errors, match="another process follows"):
            stream.push(visit("a", "2026-03-03T00:00:00Z"))
    assert not list(folder.glob("*.lock"))
    damaged = bytearray((folder / "state.db").read_bytes())
    damaged[4096:] = b"\x55" * (len(damaged) - 4096)
    (folder / "state.db").write_bytes(damaged)
    with pytest.raises(segdsl.Errors, match="malformed"):
        project.follow(folder / "state.db")


def test_a_full_disk_loses_nothing(folder: Path) -> None:
    project = segdsl.load(folder / "segdsl.yml")
    stream = project.follow(folder / "state.db")
    assert stream.follower.state is not None
    stream.push(visit("a", "2026-03-01T00:00:00Z"))
    pages = stream.follower.state._connection.execute("PRAGMA page_count").fetchone()[0]
    stream.follower.state._connection.execute(f"PRAGMA max_page_count = {pages}")
    taken = 1
    with pytest.raises(segdsl.Errors, match="full") as raised:
        for number in range(2000):
            stream.push(visit(f"c{number}", "2026-03-02T00:00:00Z", "/" + "x" * 500))
            taken += 1
    assert "room" in raised.value.diagnostics[0].help
    stream.close()
    with project.follow(folder / "state.db") as stream:
        assert stream.follower.state is not None
        assert len(list(stream.follower.state.lines())) == taken
        stream.push(visit("z", "2026-03-02T00:00:00Z"))
