"""The SQL backend on a real DuckDB, from hand-built core nodes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlglot import exp, parse, parse_one

from segdsl import types
from segdsl.backends.sql import compile_segments
from segdsl.backends.sql.build import identifier
from segdsl.catalog import model
from segdsl.core import nodes
from segdsl.core.nodes import All, Branch, Compare, Const, Events, Measure, Not, Property
from segdsl.core.program import Program, Segment
from segdsl.core.time import DAY, EVER, FromNow, PeriodStart, Span, parse_instant
from segdsl.engines import connect
from segdsl.engines.checks import check_database
from segdsl.text.diagnostic import Errors
from segdsl.text.source import Source

NOW = parse_instant("2026-03-10T00:00:00Z", "UTC") or 0
MONEY = types.decimal(18, 2)
STAGES = types.Enum(("lead", "customer", "alumnus"))
C = model.Column


def catalog(folder: Path) -> model.Catalog:
    attribute, prop = model.Attribute, model.Property
    return model.Catalog(
        source=Source("segdsl.yml", ""), folder=folder, database=str(folder), timezone="Europe/Berlin", rules=(),
        contacts="contacts", key=C("id"),
        attributes={
            "country": attribute("country", types.String(), (C("country"),)),
            "score": attribute("score", types.INT, (C("score"),)),
            "born": attribute("born", types.Date(), (C("born"),)),
            "home": attribute("home", types.Geo(), (C("lat"), C("lon"))),
            "tags": attribute("tags", types.ListOf(), (C("tags"),)),
            "active": attribute("active", types.Bool(), (C("active"),)),
        },
        events={
            "visited": model.Event(
                "visited", "visits", C("id"), model.TimeColumn(C("at")),
                {"path": prop("path", types.String(), C("path")), "stage": prop("stage", STAGES, C("stage"))}, "path",
            ),
            "purchased": model.Event(
                "purchased", "orders", C("id"), model.TimeColumn(C("ms"), unit="ms"),
                {"amount": prop("amount", MONEY, C("props", ("total", "net")))}, id=C("delivery"),
                where=((C("kind"), ("buy", "re'buy")),),
            ),
        },
    )  # fmt: skip


CONTACTS = """id,country,score,born,lat,lon,tags,active
a,DE,5,2026-03-29,52.52,13.405,"[""vip"",1]",true
b,,x,2026-02-30,91,0,,false
c,"O'Hara \\ % $ /*",-7,,48.1,11.5,[],maybe
"""
VISITS = """id,at,path,stage
a,2026-03-09T23:59:59Z,/pricing,customer
a,2026-03-10T00:00:00Z,/pricing,lead
a,2026-03-10T00:00:00.000001Z,/pricing,lead
b,2026-02-08T00:00:00Z,/x_y,alumnus
b,2026-02-08T01:00:00+01:00,/x%y,customer
c,nonsense,/pricing,lead
"""
ORDERS = (
    '{"id":"a","ms":1772668800000,"kind":"buy","delivery":"1","props":{"total":{"net":10.10}}}\n'
    '{"id":"a","ms":1772668800000,"kind":"buy","delivery":"1","props":{"total":{"net":10.10}}}\n'
    '{"id":"b","ms":"1772668800000","kind":"re\'buy","delivery":null,"props":{"total":{"net":"20.20"}}}\n'
    '{"id":"b","ms":1772668800000.5,"kind":"buy","delivery":null,"props":{"total":{"net":"oops"}}}\n'
    '{"id":"c","ms":1772668800000,"kind":"other","props":{"total":{"net":1}}}\n'
)


@pytest.fixture
def project(tmp_path: Path) -> model.Catalog:
    (tmp_path / "contacts.csv").write_text(CONTACTS)
    (tmp_path / "visits.csv").write_text(VISITS)
    (tmp_path / "orders.jsonl").write_text(ORDERS)
    return catalog(tmp_path)


def events(kind: str, where: nodes.Rule = nodes.EVERYONE, span: object = EVER) -> Events:
    return Events((Branch(kind, where),), span)  # type: ignore[arg-type]


def members(project: model.Catalog, *rules: nodes.Rule) -> list[str]:
    """For each rule the ids of its members, run together."""
    named = {f"s{i}": Segment(f"s{i}", rule, words="it's */ DROP TABLE x; -- \n") for i, rule in enumerate(rules)}
    program = Program(named, {})
    with connect(project) as engine:
        text = compile_segments(program, project, list(named), NOW, engine.schema())
        assert len(parse(text, dialect="duckdb")) == 1
        again = parse_one(text, dialect="duckdb").sql("duckdb", pretty=True)
        assert parse_one(again, dialect="duckdb").sql("duckdb", pretty=True) == again
        # Whether segdsl would ask it or not: it may refuse columns of which no value can be known.
        found = list(engine.ask(engine.statement(program, list(named), NOW).tree()))
    return ["".join(str(contact) for segment, contact in found if segment == name) for name in named]


def each_alone(project: model.Catalog, rules: list[nodes.Rule]) -> list[str]:
    """For each rule the ids of its members, asked by itself."""
    programs = [Program({"s": Segment("s", rule)}, {}) for rule in rules]
    with connect(project) as engine:
        return ["".join(str(contact) for _, contact in engine.members(each, ["s"], NOW)) for each in programs]


def at_least(n: int, of: Events) -> nodes.Rule:
    return Compare(">=", Measure("count", of), Const(n, types.INT))


COUNTRY = nodes.Attribute("country", types.String())
SCORE = nodes.Attribute("score", types.INT)
PATH = Property("path", types.String())
AMOUNT = Property("amount", MONEY)
STAGE = Property("stage", STAGES)


def test_logic_is_two_valued(project: model.Catalog) -> None:
    german = Compare("=", COUNTRY, Const("DE", types.String()))
    assert members(project, german, Not(german), All(()), nodes.Any(()), Not(Not(german))) == [
        "a",
        "bc",
        "abc",
        "",
        "a",
    ]


def test_windows_are_exact_and_the_future_does_not_exist(project: model.Catalog) -> None:
    last = Span(FromNow(-DAY), FromNow())
    assert members(
        project,
        at_least(2, events("visited", span=last)),
        at_least(3, events("visited")),
        at_least(2, events("visited", span=Span(FromNow(-30 * DAY), FromNow()))),
        Compare("=", Measure("count", events("visited")), Const(0, types.INT)),
    ) == ["a", "", "a", "c"]


def test_globs_and_quotes(project: model.Catalog) -> None:
    odd = "O'Hara \\ % $ /*"
    one = nodes.Match(PATH, (("/x_", nodes.Wild.ONE),))
    assert members(
        project,
        Compare("=", COUNTRY, Const(odd, types.String())),
        nodes.Match(COUNTRY, (("O'", nodes.Wild.RUN, "% $ /", nodes.Wild.ONE),)),
        at_least(1, events("visited", one)),
        at_least(2, events("visited", nodes.Match(PATH, (("/x", nodes.Wild.ONE, "y"),)))),
        nodes.Match(nodes.Folded(COUNTRY), (("de",),)),
    ) == ["c", "c", "b", "b", "a"]


def test_money_duplicates_and_json(project: model.Catalog) -> None:
    total = Measure("sum", events("purchased"), types.Number(2, 10**30), AMOUNT)
    assert members(
        project,
        Compare("=", total, Const(1010, MONEY)),
        Compare("=", total, Const(202, types.decimal(18, 1))),
        Compare(">", total, Const(10105, types.decimal(18, 3))),
        at_least(2, events("purchased")),
        Compare(">", nodes.Arithmetic("*", total, SCORE, types.Number(2, 10**37)), Const(0, types.INT)),
    ) == ["a", "b", "b", "b", "a"]


def test_what_does_not_fit_is_unknown(project: model.Catalog) -> None:
    active = nodes.Attribute("active", types.Bool())
    home = nodes.Attribute("home", types.Geo())
    assert members(
        project,
        nodes.Known(SCORE),
        nodes.Known(nodes.Attribute("born", types.Date())),
        nodes.Known(home),
        nodes.Contains(nodes.Attribute("tags", types.ListOf()), "vip"),
        Compare("=", active, Const(True, types.Bool())),
        Not(Compare("=", active, Const(True, types.Bool()))),
        nodes.Near(home, 52.5, 13.4, 5.0),
    ) == ["ac", "a", "ac", "a", "a", "bc", "a"]


def test_same_within_first_last_percentile_distinct(project: model.Catalog) -> None:
    two = Const(2, types.INT)
    visited = events("visited")
    assert members(
        project,
        Compare(">=", Measure("count", visited, same=(PATH,)), two),
        Compare(">=", Measure("count", visited, within=1_000_001), two),
        Compare(">=", Measure("count", visited, within=1_000_000), two),
        Compare("=", Measure("last", visited, STAGES, STAGE), Const("alumnus", STAGES)),
        Compare("=", Measure("first", visited, STAGES, STAGE), Const("customer", STAGES)),
        Compare("=", Measure("percentile", events("purchased"), MONEY, AMOUNT, (1, 2)), Const(2020, MONEY)),
        Compare(
            ">=", Measure("distinct", visited, types.INT, nodes.PeriodOf("day", "Europe/Berlin")), Const(1, types.INT)
        ),
        nodes.InSpan(Measure("last", visited, types.Timestamp()), Span(None, FromNow(-20 * DAY))),
    ) == ["a", "ab", "b", "b", "ab", "b", "ab", "b"]


def test_anchors_unions_and_segments(project: model.Catalog) -> None:
    first = Measure("first", events("purchased"), types.Timestamp())
    after = events("visited", span=nodes.Anchored(first, 0, 5 * DAY))
    both = Events((Branch("visited", nodes.EVERYONE), Branch("purchased", nodes.EVERYONE)), EVER)
    assert members(
        project, at_least(2, after), at_least(4, both), nodes.InSegment("s0"), Not(nodes.InSegment("s0")),
    ) == ["a", "b", "a", "bc"]  # fmt: skip


def test_points(project: model.Catalog) -> None:
    count = Measure("count", events("visited"))
    points = nodes.Points(
        (
            nodes.Award(20, at_least(1, events("purchased"))),
            nodes.Award(2, per=count, cap=3),
            nodes.Award(-5, Not(nodes.Known(COUNTRY))),
        ),
        types.Number(0, 1000),
    )
    assert members(project, Compare("=", points, Const(23, types.INT)), Compare("=", points, Const(18, types.INT))) == [
        "a",
        "b",
    ]


def test_products_of_the_widest_numbers(project: model.Catalog) -> None:
    big = Const(10**18 - 1, types.decimal(18, 9))
    product = nodes.Arithmetic("*", big, big, types.Number(18, (10**18 - 1) ** 2))
    assert members(project, Compare("=", product, Const((10**18 - 1) ** 2, product.type))) == ["abc"]


def test_many_segments_share_passes(project: model.Catalog) -> None:
    rules = [
        All(
            (
                at_least(1 + i % 3, events("visited", nodes.Match(PATH, ((f"/p{i}",),)))),
                Not(at_least(1, events("purchased"))),
            )
        )
        for i in range(100)
    ]
    assert members(project, *rules) == [""] * 100


def test_windows_over_the_same_events_share_the_latest(project: model.Catalog) -> None:
    """At every instant, a microsecond before and after it: the same answer as that of each rule alone."""
    instants = [parse_instant(each, "UTC") or 0 for each in ("2026-03-09T23:59:59Z", "2026-03-10", "2026-02-08")]
    spans = [Span(FromNow(instant + step - NOW), FromNow()) for instant in instants for step in (-1, 0, 1)]
    spans += [Span(None, FromNow()), Span(FromNow(-DAY), None), Span(PeriodStart("month", 0, "UTC"), FromNow())]
    counts = [Measure("count", events("visited", span=span)) for span in spans]
    some = [Compare(op, count, Const(n, types.INT)) for count in counts
            for op, n in ((">=", 1), (">", 0), ("<", 1), ("<=", 0), ("=", 0))]  # fmt: skip
    last = nodes.InSpan(Measure("last", events("visited"), types.Timestamp()), Span(FromNow(-2 * DAY), FromNow()))
    rules: list[nodes.Rule] = [*some, *(Not(rule) for rule in some), last]
    assert members(project, *rules) == each_alone(project, rules)
    text = compiled(project, *rules)
    assert "COUNT(" not in text and text.count("MAX(") == 1


def compiled(project: model.Catalog, *rules: nodes.Rule) -> str:
    program = Program({f"s{i}": Segment(f"s{i}", rule) for i, rule in enumerate(rules)}, {})
    return compile_segments(program, project, list(program.segments), NOW)


def test_a_pass_looks_at_what_its_measures_ask_for(project: model.Catalog) -> None:
    """More than a dozen filters of one kind: those of texts have a pass over events with these texts alone."""
    windows = [Span(FromNow(-DAY), FromNow()), Span(FromNow(-30 * DAY), FromNow(-DAY)), Span(None, FromNow())]
    texts: list[nodes.Rule] = [nodes.Match(PATH, ((path,),)) for path in ("/pricing", "/x_y", "/x%y", "/none", "", "'")]
    texts.append(nodes.Match(PATH, (("/pricing",), ("/x_y",))))
    others: list[nodes.Rule] = [nodes.EVERYONE, nodes.Match(PATH, (("/", nodes.Wild.RUN, "y"),)), nodes.Known(STAGE)]
    others += [nodes.OneOf(STAGE, (stage,)) for stage in STAGES.values]
    rules = [at_least(2, events("visited", where, span)) for where in (*texts, *others) for span in windows]
    rules += [Not(rule) for rule in rules]
    assert members(project, *rules) == each_alone(project, rules)


def test_unknown_dialect_and_missing_columns(project: model.Catalog, tmp_path: Path) -> None:
    with pytest.raises(Errors, match="SEG0701"):
        compile_segments(Program({}, {}), project, [], NOW, None, "oracle")
    (tmp_path / "visits.csv").unlink()
    with connect(project) as engine, pytest.raises(Errors, match="SEG0711"):
        list(engine.members(Program({"s": Segment("s", at_least(1, events("visited")))}, {}), ["s"], NOW))


def test_not_binds_its_operand(project: model.Catalog) -> None:
    rule = Not(All((nodes.Known(COUNTRY), nodes.Any((nodes.Known(SCORE), nodes.Known(COUNTRY))))))
    text = compile_segments(Program({"s": Segment("s", rule)}, {}), project, ["s"], NOW)
    tree = parse_one(text, dialect="duckdb")
    assert isinstance(tree.find(exp.Where).this, exp.Boolean | exp.Not | exp.And)
    assert members(project, rule) == ["b"]


def test_facts(project: model.Catalog) -> None:
    with connect(project) as engine:
        facts = {each.id: each for each in engine.facts()}
    assert sorted(facts) == ["a", "b", "c"]
    assert facts["a"].attributes[None, "score"] == 5 and facts["a"].attributes[None, "tags"] == ("vip",)
    assert facts["a"].attributes[None, "home"] == (52.52, 13.405)
    assert facts["a"].attributes[None, "born"] == parse_instant("2026-03-29T00:00", "Europe/Berlin")
    assert [row[1]["amount"] for row in facts["a"].events["purchased"]] == [1010]
    assert facts["c"].events.get("visited", []) == []


def test_relations_lists_identities_and_history_in_a_database_file(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "w.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("""
            CREATE TABLE contacts AS SELECT * FROM (VALUES (1, 10), (2, 11), (3, NULL)) AS v(id, company_id);
            CREATE TABLE companies AS SELECT * FROM (VALUES ('10', 'Software')) AS v(company, industry);
            CREATE TABLE lists AS SELECT * FROM (VALUES ('staff', '1'), ('staff', NULL), ('vip', '02')) AS v(list, who);
            CREATE TABLE aliases AS SELECT * FROM (VALUES ('anon', 2)) AS v(alias, contact);
            CREATE TABLE stages AS SELECT * FROM (VALUES (1, TIMESTAMP '2026-01-01', 'lead'),
              (1, TIMESTAMP '2026-02-01', 'customer'), (1, TIMESTAMP '2026-02-01', 'lead'),
              (1, TIMESTAMP '2027-01-01', 'alumnus'), (2, TIMESTAMP '2026-01-01', 'lead'),
              (2, TIMESTAMP '2026-01-02', NULL)) AS v(who, "at", stage);
            CREATE TABLE visits AS SELECT * FROM (VALUES ('anon', TIMESTAMPTZ '2026-03-01 00:00:00+00'),
              ('3', TIMESTAMPTZ '2026-03-01 00:00:00+00'),
              ('03', TIMESTAMPTZ '2026-03-01 00:00:00+00')) AS v(who, "at");
        """)
    stage = model.Attribute(
        "stage", STAGES, (C("stage"),), history=model.History("stages", C("who"), model.TimeColumn(C("at")), C("stage"))
    )
    industry = model.Attribute("industry", types.String(), (C("industry"),))
    project = model.Catalog(
        source=Source("segdsl.yml", ""), folder=tmp_path, database=f"duckdb:///{path}", timezone="UTC", rules=(),
        contacts="contacts", key=C("id"), attributes={"stage": stage},
        events={"visited": model.Event("visited", "visits", C("who"), model.TimeColumn(C("at")), {})},
        relations={
            "company": model.Relation("company", "companies", C("company"), C("company_id"), {"industry": industry})
        },
        lists=model.Lists("lists", C("list"), C("who")),
        identities=model.Identities("aliases", C("alias"), C("contact")),
    )  # fmt: skip
    software = Compare("=", nodes.Attribute("industry", types.String(), "company"), Const("Software", types.String()))
    current = nodes.Held("stage", STAGES)
    assert members(
        project,
        software,
        Not(nodes.InList("staff")),
        at_least(1, events("visited")),
        nodes.OneOf(current, ("customer",)),
        nodes.Known(current),
        Compare("=", Measure("count", events("visited")), Const(1, types.INT)),
    ) == ["1", "23", "23", "1", "1", "23"]
    with connect(project) as engine:
        assert {each.id: set(each.lists) for each in engine.facts()} == {1: {"staff"}, 2: set(), 3: set()}
        [nobodys] = check_database(project, None, engine)  # for `03` is no number
        assert nobodys.message == "of 3 rows of `visits`, 1 has no key in `who`"


def test_every_reserved_word_is_quoted() -> None:
    import duckdb

    query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
    words = duckdb.execute(query).fetchall()
    assert [word for (word,) in words if not identifier(word).args["quoted"]] == []


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("rows", [[], ['a,"line{n}two"', "b", 'c,"x ""y"", z"', 'd,""']])
def test_csv_fields(project: model.Catalog, newline: str, rows: list[str]) -> None:
    body = newline.join(["\ufeffid,country", *(row.replace("{n}", newline) for row in rows), ""])
    (project.folder / "contacts.csv").write_bytes(body.encode())
    with connect(project) as engine:
        found = {each.id: each.attributes.get((None, "country")) for each in engine.facts()}
    assert found == ({"a": f"line{newline}two", "b": None, "c": 'x "y", z', "d": None} if rows else {})


def test_an_empty_file_has_no_rows(project: model.Catalog) -> None:
    for name in ("contacts.csv", "visits.csv", "orders.jsonl"):
        (project.folder / name).write_text("")
    assert members(project, All(()), at_least(1, events("purchased"))) == ["", ""]
