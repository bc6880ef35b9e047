"""What `explain` says: its answers against the predicate, its deadlines against evaluation, its texts by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, note, settings
from hypothesis import strategies as st

import segdsl
from segdsl.analysis.explain.explainer import Explainer
from segdsl.analysis.explain.explanation import Explanation, Reason
from segdsl.backends.python import compile_program
from segdsl.cli.main import cli
from segdsl.core.contact import Facts
from segdsl.core.time import from_datetime, to_zoned
from segdsl.engines import connect
from tests.support import strategies
from tests.support.world import World, instant, program_of
from tests.test_next_change import CASES, COMMON, NAMED, NOW, at, frozen, people, person, project, rules

RULES = 6

# --- generated ----------------------------------------------------------------------------------------------------


def logical(reason: Reason) -> Iterator[tuple[Reason, bool]]:
    """Each part that is made of others, with what they say together."""
    for part in reason.walk():
        answers = [inner.holds for inner in part.parts]
        if part.op == "and":
            yield part, all(answers)
        elif part.op == "or":
            yield part, any(answers)
        elif part.op == "not":
            yield part, not answers[0]


@settings(COMMON, max_examples=max(1, CASES // RULES // 25))
@given(strategies.worlds, st.lists(st.one_of(rules, strategies.rules), min_size=RULES, max_size=RULES))
def test_answers_are_the_predicates_and_parts_make_the_whole(world: dict[str, Any], texts: list[str]) -> None:
    catalog, found = people(world)
    segments = "".join(f"segment r{i}:\n    {rule}\n" for i, rule in enumerate(texts))
    program = program_of(strategies.SCORE + NAMED + segments, catalog)
    compiled = compile_program(program)
    for index, text in enumerate(texts):
        explainer = Explainer(catalog, program, f"r{index}")
        for facts in found:
            note(f"rule: {text}\ncontact: {facts.id}\nzone: {world['zone']}")
            explanation = explainer.explain(facts, NOW)
            holds = compiled.predicate(f"r{index}")
            assert explanation.holds == holds(facts, NOW)
            for part, whole in logical(explanation.reason):
                assert part.holds == whole
            assert json.loads(json.dumps(explanation.as_dict())) == explanation.as_dict()
            assert str(explanation).startswith(str(facts.id))
            if explanation.next_change is not None:
                still = frozen(facts, NOW)
                assert holds(still, from_datetime(explanation.next_change)) != explanation.holds
                changing = [part for part in explanation.reason.walk() if part.op != "points" and part.next_change]
                # A part may change more than once before the whole does; it cannot be that all change only later.
                assert any(part.next_change <= explanation.next_change for part in changing[1:] or changing)


counted = st.tuples(
    st.sampled_from(["visited", "purchased", "any event", "visited where (day since 2026-01-01)"]),
    st.integers(1, 5),
    st.sampled_from(
        ["in 7d", "in 30d", "in 1mo", "this week", "this month", "since 2026-03-01", "on 2026-03-31", "in 1y", ""]
    ),
).map(lambda p: f"{p[0]} >= {p[1]} {p[2]}")


@settings(COMMON, max_examples=max(1, CASES // 30))
@given(strategies.worlds, counted)
def test_what_is_missing_makes_it_true_until_its_deadline(world: dict[str, Any], rule: str) -> None:
    """As many more events as are said to be missing: enough at the last instant before the deadline, not at it."""
    catalog, found = people(world)
    program = program_of(f"{strategies.SCORE}segment r:\n    {rule}\n", catalog)
    explainer, holds = Explainer(catalog, program, "r"), compile_program(program).predicate("r")
    for facts in found:
        reason = explainer.explain(facts, NOW).reason
        if reason.holds or reason.missing.startswith("nothing can come"):
            continue
        number = int(reason.missing.split()[0])
        kind = "purchased" if rule.startswith("purchased") else "visited"
        before = frozen(facts, NOW)

        def with_more(count: int, when: int, before: Facts = before, kind: str = kind) -> bool:
            more = [*before.events.get(kind, ()), *((when, {}) for _ in range(count))]
            return holds(
                Facts(before.id, before.attributes, {**before.events, kind: more}, history=before.history), when
            )

        assert with_more(number, NOW + 1)
        assert not with_more(number - 1, NOW + 1)
        if reason.before is None:
            assert with_more(number, NOW + 900 * 86400 * 10**6)
        else:
            end = from_datetime(reason.before)
            assert with_more(number, end - 1)
            assert not with_more(number, end)


# --- by hand ------------------------------------------------------------------------------------------------------


def explain(rule: str, contact: segdsl.Contact, now: str) -> Explanation:
    return project().compile(rule).explain(contact, at(now))


def test_a_count_with_its_deadline() -> None:
    found = explain("visited >= 3 in 30d", person("2026-03-03T09:30", "2026-03-20T10:00"), "2026-03-31T11:00")
    assert (found.holds, found.next_change) == (False, None)
    reason = found.reason
    assert (reason.found, reason.missing) == ("2 of 3", "1 more before 2026-04-02 10:30:00 (+02:00)")
    assert reason.before == at("2026-04-02T10:30")
    assert [witness.at for witness in reason.witness] == [at("2026-03-20T10:00"), at("2026-03-03T09:30")]
    assert reason.witness[0].name == "visited"
    assert dict(reason.witness[0].properties) == {"path": "/", "seconds": 1}
    assert str(found) == (
        "c is not in the rule; stays so if nothing new happens\n"
        "  asked at 2026-03-31 11:00:00 (+02:00)\n"
        "  no   visited >= 3 in 30d\n"
        "       2 of 3\n"
        "       missing: 1 more before 2026-04-02 10:30:00 (+02:00)\n"
        '       - 2026-03-20 10:00:00 (+01:00)  visited  path "/", seconds 1\n'
        '       - 2026-03-03 09:30:00 (+01:00)  visited  path "/", seconds 1'
    )


def test_a_cart_that_waits_then_is_abandoned_then_forgotten() -> None:
    contact = person("2026-03-30T12:00")
    rule = "visited then not purchased within 1d in 7d"
    waiting = explain(rule, contact, "2026-03-31T09:00")
    assert (waiting.holds, waiting.next_change) == (False, at("2026-03-31T12:00"))
    assert waiting.reason.missing == "no purchased before 2026-03-31 12:00:00 (+02:00)"
    assert "enters on 2026-03-31 12:00:00 (+02:00), in 3 hours, if nothing new happens" in str(waiting)
    abandoned = explain(rule, contact, "2026-03-31T12:00")
    assert (abandoned.holds, abandoned.next_change) == (True, at("2026-04-06T12:00"))
    assert abandoned.reason.found == "this event was found, and no purchased within 1d after it"
    assert "leaves on 2026-04-06 12:00:00 (+02:00), in 6 days, if nothing new happens" in str(abandoned)
    bought = explain(rule, person("2026-03-30T12:00", orders=["2026-03-30T13:00"]), "2026-03-31T12:00")
    assert (bought.holds, bought.next_change, bought.reason.missing) == (False, None, "no purchased behind it")
    assert [witness.name for witness in bought.reason.witness] == ["visited", "purchased"]


@pytest.mark.parametrize(
    ("rule", "found", "missing"),
    [
        ("visited then purchased then visited within 1h", "2 of 3 steps", "visited within 1h"),
        ('visited then visited "/x" then purchased', "1 of 3 steps", 'visited "/x"'),
        ("purchased where (amount > 9) then visited", "0 of 2 steps", "purchased where (amount > 9)"),
        ("visited then purchased all within 1h", "all steps happened, too far apart", "all within 1h"),
        ("visited then purchased without visited within 1d before", "this sequence was found, …", ""),
        ("visited then purchased without any visited", "all steps happened, and with them what must not",
         "no visited at all"),
        ("visited = 0", "1 found, none wanted", ""),
        ("visited 2 to 3 times", "1 found, 2 to 3 wanted", "1 more"),
        ("not visited", "", ""),
        ("sum(amount of purchased) > 5", "5.00, more than 5.00 wanted", "0.01 more"),
        ("purchased between 30d and 60d ago", "0 of 1", ""),
        ("visited before 2026-01-01", "0 of 1", "nothing can come: the window is over"),
        ("purchased within 7d after signup date", "0 of 1; signup date is unknown", "1 more"),
        ("visited != 1", "1 found", ""),
        ("avg(seconds of visited) > 2", "1 values; their sum is 1", ""),
        ("last(visited) has (seconds > 5)", "last(visited) is 2026-03-01 12:00:00 (+01:00)", ""),
        ("count(visited) > 2 * count(purchased)", "count(visited) is 1; count(purchased) is 1", ""),
        ("signup date in 7d", "signup date is unknown", ""),
        ('stage = "lead"', "stage is unknown", ""),
        ("last(visited) more than 90d ago", "last(visited) is 2026-03-01 12:00:00 (+01:00)", ""),
        ("visited in at least 2 of last 3 weeks", "0 of 2", "2 more"),
        ('in sample 0.001% of "x"', "drawn 6.5673%, below 0.0010% wanted", ""),
    ],
)  # fmt: skip
def test_what_is_found_and_missing(rule: str, found: str, missing: str) -> None:
    contact = person("2026-03-01T12:00", orders=["2026-03-02T12:00"])
    reason = explain(rule, contact, "2026-03-31T12:00").reason
    if found.endswith("…"):
        assert reason.holds
        return
    assert not reason.holds
    assert (reason.found, reason.missing) == (found, missing)


def test_nothing_is_missing_of_what_is_not_wanted() -> None:
    reason = explain("not purchased in 30d", person(), "2026-03-31T12:00").reason
    assert reason.holds
    assert (reason.parts[0].found, reason.parts[0].missing) == ("none found", "")


def test_the_witness_of_a_burst_and_of_a_group() -> None:
    contact = person("2026-03-01T12:00", "2026-03-05T10:00", "2026-03-05T10:30", "2026-03-09T10:00")
    burst = explain("visited >= 2 within 1h in 30d", contact, "2026-03-10T12:00").reason
    assert [witness.at for witness in burst.witness] == [at("2026-03-05T10:30"), at("2026-03-05T10:00")]
    group = explain("visited >= 2 with same day in 30d", contact, "2026-03-10T12:00").reason
    assert [witness.at for witness in group.witness] == [at("2026-03-05T10:30"), at("2026-03-05T10:00")]
    many = explain("visited in 30d", contact, "2026-03-10T12:00").reason
    assert (len(many.witness), many.more, many.found) == (3, 1, "4 found")


def test_scores_and_segments_are_told_by_their_parts() -> None:
    catalog = project().catalog
    program = program_of(
        "score fit:\n    +20 if purchased\n    +2 per visited in 30d, at most 3\n    -15 if not visited in 60d\n"
        "segment buyers:\n    purchased in 30d\n"
        "segment hot:\n    fit >= 30 and in segment buyers and not in segment buyers\n",
        catalog,
    )
    contact = person("2026-03-01T12:00", "2026-03-02T12:00", orders=["2026-03-02T12:00"])
    found = segdsl.Rule(catalog, program, "hot").explain(contact, at("2026-03-31T12:00"))
    score, member, outsider = found.reason.parts
    assert (score.found, score.missing) == ("23 of 30", "7 more")
    assert [(line.points, line.holds) for line in score.parts] == [(20, True), (3, True), (0, False)]
    assert [line.words for line in score.parts][1] == "+2 per visited in 30d, at most 3"
    assert member.parts[0].words == "purchased in 30d"
    assert (outsider.holds, outsider.parts[0].parts) == (False, ())  # told once
    assert found.next_change is None


def test_the_public_names() -> None:
    found = explain("visited", person(), "2026-03-31T12:00")
    assert isinstance(found, segdsl.Explanation)
    assert isinstance(found.reason, segdsl.Reason)


# --- from the database, and the command ---------------------------------------------------------------------------

CATALOG = """\
version: 1
database: ./data
timezone: Europe/Berlin
rules: ["*.seg"]
contacts: {table: people, key: id, attributes: {country: string}}
events:
  visited: {table: visits, time: at, object: path, properties: {path: string}}
identities: {table: aliases, from: other, to: id}
"""
PEOPLE = "id,country\nc1,DE\nc2,\nc10,FR\n"
VISITS = "id,at,path\nc1,2026-03-01T10:00:00Z,/pricing\nx1,2026-03-02T10:00:00Z,/pricing\nc2,2026-03-02T11:00:00Z,/\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "segdsl.yml").write_text(CATALOG)
    (tmp_path / "a.seg").write_text('segment keen "Keen ones":\n    visited "/pricing" >= 2 in 30d\n')
    (tmp_path / "data" / "people.csv").write_text(PEOPLE)
    (tmp_path / "data" / "visits.csv").write_text(VISITS)
    (tmp_path / "data" / "aliases.csv").write_text("other,id\nx1,c1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["explain", *arguments])


def test_the_command(folder: Path) -> None:
    done = call("c1", "--now", "2026-03-09T12:00")
    assert done.exit_code == 0, done.output
    assert done.stdout == (
        "c1 is in keen; leaves on 2026-03-31 12:00:00 (+02:00), in 21 days, if nothing new happens\n"
        '  "Keen ones", asked at 2026-03-09 12:00:00 (+01:00)\n'
        '  yes  visited "/pricing" >= 2 in 30d\n'
        "       2 found, at least 2 wanted\n"
        '       - 2026-03-02 11:00:00 (+01:00)  visited  path "/pricing"\n'
        '       - 2026-03-01 11:00:00 (+01:00)  visited  path "/pricing"\n'
        "       becomes no on 2026-03-31 12:00:00 (+02:00), in 21 days, if nothing new happens\n"
    )
    assert done.stderr == "in 1 of 1 segment; --now 2026-03-09T11:00:00Z\n"


def test_the_command_for_programs(folder: Path) -> None:
    done = call("c2", 'country = "DE" or visited', "--now", "2026-03-09", "--format", "json")
    [found] = json.loads(done.stdout)
    assert (found["contact"], found["segment"], found["holds"], found["next_change"]) == ("c2", "rule", True, None)
    country, visited = found["reason"]["parts"]
    assert country["witness"] == [{"attribute": "country", "value": None}]
    assert visited["witness"] == [{"event": "visited", "at": "2026-03-02T12:00:00+01:00", "properties": {"path": "/"}}]


@pytest.mark.parametrize(
    ("contact", "help_"),
    [
        ("x1", "alias of `c1`"),
        ("c3", "did you mean `c1`?"),
        ("C10", "did you mean `c10`?"),
        ("nobody", "`id` of `people`"),
    ],
)
def test_contacts_that_there_are_not(folder: Path, contact: str, help_: str) -> None:
    from segdsl.cli.main import run

    runner = CliRunner()
    with runner.isolation() as (_, error, _):
        assert run(["explain", contact]) == 2
        text = error.getvalue().decode()
    assert "SEG0716" in text and help_ in text


def test_colours_only_where_they_are_wanted(folder: Path) -> None:
    assert "\x1b[" not in call("c1", "--now", "2026-03-09").output
    assert "\x1b[32myes" in call("c1", "--now", "2026-03-09", "--color").output


def test_the_api_over_a_database(folder: Path) -> None:
    loaded = segdsl.load()
    with loaded.connect() as db:
        found = db.explain("c1", "Keen", now=at("2026-03-09T12:00"))
        assert found.next_change == at("2026-03-31T12:00")
        assert db.explain("c2", loaded.compile("visited"), now=at("2026-03-09T12:00")).holds
        with pytest.raises(KeyError):
            db.explain("c1", "nothing")
        with pytest.raises(segdsl.Errors, match="SEG0716"):
            db.explain("c77", "keen")


@settings(COMMON, max_examples=max(1, CASES // 480))
@given(strategies.worlds)
def test_one_contact_is_read_as_all_are(world: dict[str, Any]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        small = World(strategies.CATALOG.format(zone=world["zone"]), world["contacts"], world["tables"])
        catalog = small.catalog(Path(place))
        small.write_jsonl(catalog)
        with connect(catalog) as engine:
            for every in engine.facts():
                one = engine.one(every.id)
                assert (one.attributes, one.lists, one.history) == (every.attributes, every.lists, every.history)
                for kind, rows in every.events.items():
                    assert sorted(map(repr, one.events[kind])) == sorted(map(repr, rows))


def test_only_this_contact_is_scanned(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over Parquet files with bare keys the database filters where it reads, aliases included."""
    import duckdb

    for table in ("people", "visits", "aliases"):
        source, target = folder / "data" / f"{table}.csv", folder / "data" / f"{table}.parquet"
        with duckdb.connect() as connection:
            connection.execute(f"COPY (SELECT * FROM read_csv('{source}', header = true)) TO '{target}'")
        source.unlink()
    catalog = segdsl.load().catalog
    asked: list[tuple[str, dict[str, str]]] = []
    with connect(catalog) as engine:
        ask = engine.rows
        monkeypatch.setattr(engine, "rows", lambda text, values: asked.append((text, values)) or ask(text, values))
        assert len(engine.one("c1").events["visited"]) == 2
        plans = {text: "\n".join(row[1] for row in ask(f"EXPLAIN {text}", values)) for text, values in asked}
    scans = [plan for text, plan in plans.items() if "visits" in text]
    assert scans and all("c1" in plan.split("Read Parquet")[-1] or "Filters" in plan for plan in scans), scans


def test_whole_keys(tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("CREATE TABLE people AS SELECT 7 AS id UNION ALL SELECT 8")
        connection.execute("CREATE TABLE visits AS SELECT 7 AS id, TIMESTAMP '2026-03-01 10:00' AS at, '/' AS path")
    (tmp_path / "segdsl.yml").write_text(
        CATALOG.replace("./data", "duckdb:///w.duckdb").replace("identities", "# ").replace("country: string", "")
    )
    with segdsl.load(tmp_path).connect() as db:
        rule = segdsl.load(tmp_path).compile("visited")
        assert db.explain(7, rule).holds
        assert db.explain("7", rule).contact == 7
        assert not db.explain(8, rule).holds
        for wrong in ("seven", "07", "9"):
            with pytest.raises(segdsl.Errors, match="SEG0716"):
                db.explain(wrong, rule)


def test_a_fixed_offset_reckons_across_a_jump() -> None:
    after = to_zoned(instant("2026-03-29T01:00Z"), "Europe/Berlin")
    assert after.isoformat() == "2026-03-29T03:00:00+02:00"
    assert from_datetime(after - timedelta(microseconds=1)) == instant("2026-03-29T01:00Z") - 1


def test_references_far_down_are_no_problem() -> None:
    catalog = project().catalog
    text = "segment s0:\n    visited in 7d\n"
    text += "".join(f"segment s{i}:\n    in segment s{i - 1}\n" for i in range(1, 1200))
    program = program_of(text, catalog)
    contact = person("2026-03-30T12:00")
    found = segdsl.Rule(catalog, program, "s1199").explain(contact, at("2026-03-31T12:00"))
    assert (found.holds, found.next_change) == (True, at("2026-04-06T12:00"))
    assert segdsl.Rule(catalog, program, "s1199").next_change(contact, at("2026-03-31T12:00")) == found.next_change


def test_decimals_are_told_to_their_last_digit(tmp_path: Path) -> None:
    attributes = '{owed: "decimal(38,10)", share: "decimal(38,10)"}'
    catalog = World(f"version: 1\ncontacts: {{table: people, key: id, attributes: {attributes}}}", {}).catalog(tmp_path)
    program = program_of("segment s:\n    owed > 5 and share > 0\n", catalog)
    wide = "1234567890123456789012345678.0000000001"
    contact = segdsl.Contact("a", {"owed": wide, "share": "0.0000000001"})
    told = segdsl.Rule(catalog, program, "s").explain(contact, at("2026-03-31"))
    assert f"owed is {wide}" in str(told) and "share is 0.0000000001" in str(told)
    assert wide in json.dumps(told.as_dict()) and "E-" not in json.dumps(told.as_dict())
