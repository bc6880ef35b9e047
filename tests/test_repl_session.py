"""The session behind the prompt: text in, results out; and the same in a pipe."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from segdsl.catalog import load
from segdsl.core.time import isoformat, parse_moment
from segdsl.repl.pipe import texts
from segdsl.repl.results import (
    Answer,
    Declared,
    Left,
    Listing,
    Problems,
    Refused,
    Result,
    Said,
    Sizes,
    Stopped,
)
from segdsl.repl.session import Session
from segdsl.rule_files import compile_paths, project_paths

PROJECT = """\
version: 1
database: ./data
timezone: Europe/Berlin
contacts:
  table: contacts
  key: contact_id
  attributes: {country: string, age: int}
events:
  visited: {table: views, time: at, object: path, properties: {path: string}}
lists: {table: members, list: name, contact: contact_id}
"""
RULES = 'segment germans "Germans":\n    country = "DE"\n\nscore fit:\n    +10 if age >= 18\n'
NOW = "2026-03-09"
SLOW = """
CREATE VIEW contacts AS SELECT range AS contact_id, 'DE' AS country, 1 AS age FROM range(3);
CREATE VIEW views AS
    SELECT a.range % 3 AS contact_id, '/x' AS path, make_timestamp((a.range * b.range) % 1000) AS at
    FROM range(100000000) AS a, range(100000) AS b;
CREATE VIEW members AS SELECT 'x' AS name, 1 AS contact_id;
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "segments").mkdir()
    (tmp_path / "segdsl.yml").write_text(PROJECT)
    (tmp_path / "segments" / "a.seg").write_text(RULES)
    rows = "".join(f"c{n:02},{'DE' if n % 2 else 'FR'},{n}\n" for n in range(40))
    (tmp_path / "data" / "contacts.csv").write_text("contact_id,country,age\n" + rows)
    (tmp_path / "data" / "views.csv").write_text(
        "contact_id,at,path\nc01,2026-03-01T10:00:00Z,/pricing\nc02,2026-03-08T10:00:00Z,/\n"
    )
    (tmp_path / "data" / "members.csv").write_text("name,contact_id\nstaff,c01\nbeta,c01\nstaff,c02\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def open_session(now: str | None = NOW) -> Session:
    catalog, found = load(Path("segdsl.yml"))
    assert catalog is not None, found
    files = compile_paths(catalog, project_paths(catalog)).files
    return Session(catalog, files, None if now is None else parse_moment(now, "UTC"))


@pytest.fixture
def session(project: Path) -> Session:
    return open_session()


def refused(result: Result | None) -> str:
    assert isinstance(result, Refused), result
    return f"{result.message}; {result.help}"


def codes(result: Result | None) -> list[str]:
    assert isinstance(result, Problems), result
    return [found.code for found in result.diagnostics]


# --- rules ------------------------------------------------------------------------------------------------


def test_a_rule_is_answered(session: Session) -> None:
    answer = session.answer('country = "DE"')
    assert isinstance(answer, Answer)
    assert (answer.name, answer.size, answer.total) == ("rule", 20, 40)
    assert answer.sample == ("c01", "c03", "c05", "c07", "c09", "c11", "c13", "c15")
    assert isoformat(answer.now) == "2026-03-09T00:00:00Z" and answer.seconds > 0
    small = session.answer("visited in 2d")
    assert isinstance(small, Answer) and (small.size, small.sample) == (1, ("c02",))


def test_nothing_is_no_question(session: Session) -> None:
    assert session.answer("  \n ") is session.answer("# only a remark") is None


def test_errors_come_as_diagnostics_and_harm_nothing(session: Session) -> None:
    assert codes(session.answer("cuntry = 1 and visted")) == ["SEG0203", "SEG0203"]
    assert codes(session.answer("country =")) == ["SEG0101"]
    assert codes(session.answer('in segment nobody or in list "x" and (')) == ["SEG0110"]
    assert refused(session.answer(".sql")).startswith("there is no rule yet")
    assert isinstance(session.answer("everyone"), Answer)


def test_the_database_is_opened_late_and_again(project: Path) -> None:
    (project / "data").rename(project / "gone")
    session = open_session()
    assert codes(session.answer("cuntry")) == ["SEG0203"]
    assert codes(session.answer("everyone")) == ["SEG0710"]
    (project / "gone").rename(project / "data")
    assert isinstance(session.answer("everyone"), Answer)
    (project / "data" / "contacts.csv").write_text("contact_id,country,age\nc1,DE,1\n")
    answer = session.answer("everyone")  # data is read anew for each question
    assert isinstance(answer, Answer) and (answer.size, answer.total) == (1, 1)


def test_a_bug_does_not_end_the_session(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segdsl.repl.session.compile_rule", lambda *arguments: 1 / 0)
    result = session.answer("everyone")
    assert isinstance(result, Refused) and result.environment and "this is a bug in segdsl (Zero" in result.message
    monkeypatch.setenv("SEGDSL_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        session.answer("everyone")


# --- declarations -----------------------------------------------------------------------------------------


def test_declarations_are_known_from_then_on(session: Session) -> None:
    result = session.answer("segment old: age > 30\n\nsegment both: in segment old and in segment germans")
    assert isinstance(result, Declared) and result.names == ("old", "both")
    assert [(each.name, each.size) for each in result.answers] == [("old", 9), ("both", 5)]
    answer = session.answer("not in segment both")
    assert isinstance(answer, Answer) and answer.size == 35
    assert list(session.names().segments) == ["germans", "old", "both"]
    score = session.answer("score keen:\n    +3 if visited\n    +1 if in segment old")
    assert score == Declared(("keen",), ())
    assert list(session.names().scores) == ["fit", "keen"]
    assert isinstance(answer := session.answer("keen = 3"), Answer) and answer.size == 2


def test_a_declaration_replaces_the_one_in_the_file(session: Session) -> None:
    result = session.answer('segment Germans: country = "FR"')
    assert isinstance(result, Declared)
    assert isinstance(answer := session.answer("in segment germans and age < 2"), Answer) and answer.sample == ("c00",)
    session.answer("segment germans: age = 7")
    assert isinstance(answer := session.answer("in segment germans"), Answer) and answer.sample == ("c07",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("segment country: age = 1", "SEG0205"),
        ("segment a: in segment a", "SEG0206"),
        ("segment a: agee = 1", "SEG0203"),
        ("segment a: age = 1\nsegment A: age = 2", "SEG0204"),
        ("segment a age = 1", "SEG0105"),
        ("segment a:", "SEG0101"),
    ],
)
def test_a_wrong_declaration_is_not_known(session: Session, text: str, code: str) -> None:
    assert code in codes(session.answer(text))
    assert list(session.names().segments) == ["germans"]


def test_tests_are_not_for_here(session: Session) -> None:
    assert "segdsl test" in refused(session.answer('test germans "x":\n    on 2026-03-01 in'))


def test_a_project_with_errors(project: Path) -> None:
    (project / "segments" / "b.seg").write_text("segment bad: agee = 1\n\nsegment worse: age = = 1\n")
    session = open_session()
    assert isinstance(session.answer("in segment germans"), Answer)
    assert codes(session.answer("in segment bad")) == ["SEG0209"]
    assert codes(session.answer("segment x: in segment worse or everyone")) == ["SEG0209"]
    assert isinstance(session.answer("segment x: age = 1"), Declared)
    sizes = session.answer(".segments")
    assert isinstance(sizes, Sizes)
    assert sizes.sizes == (("bad", None), ("germans", 20), ("worse", None), ("x", 1))
    # what is declared here is in force instead of the broken one
    assert isinstance(session.answer("segment bad: age = 2"), Declared)
    assert isinstance(session.answer("in segment bad"), Answer)


# --- commands ---------------------------------------------------------------------------------------------


def test_now(session: Session) -> None:
    assert session.answer(".now") == Said("now is 2026-03-09T00:00:00Z")
    assert session.answer(".now 2026-03-09T08:00") == Said("now is 2026-03-09T07:00:00Z")  # Berlin
    assert isinstance(answer := session.answer("visited in 7d"), Answer) and answer.sample == ("c02",)
    assert session.answer(".now 2026-03-02") == Said("now is 2026-03-02T00:00:00Z")
    assert isinstance(answer := session.answer("visited in 7d"), Answer) and answer.sample == ("c01",)
    assert "2026-03-09T08:00:00Z" in refused(session.answer(".now soon"))
    assert session.answer(".now now") == session.answer(".now") == Said("now is the clock's time")
    before = time.time() * 1e6
    assert isinstance(answer := session.answer("everyone"), Answer) and before <= answer.now <= time.time() * 1e6


def test_sql_and_python(session: Session) -> None:
    session.answer("segment old: age > 30")
    session.answer("in segment old and visited")
    sql = session.answer(".sql")
    assert isinstance(sql, Listing) and sql.language == "sql"
    with duckdb.connect() as connection:  # what was asked can be asked again
        for table in ("contacts", "views"):
            connection.execute(f"CREATE VIEW {table} AS FROM read_csv('data/{table}.csv', all_varchar = true)")
        assert connection.execute(sql.text).fetchall() == []
    assert isinstance(listing := session.answer(".sql DuckDB"), Listing) and "SELECT" in listing.text
    assert codes(session.answer(".sql duckbd")) == ["SEG0701"]
    python = session.answer(".python")
    assert isinstance(python, Listing) and python.language == "python"
    assert "# in segment old and visited" in python.text and "germans" not in python.text  # only what the rule asks
    compile(python.text, "python", "exec")


def test_sizes(session: Session) -> None:
    session.answer("segment a b: age < 3")
    sizes = session.answer(".segments")
    assert isinstance(sizes, Sizes) and (sizes.sizes, sizes.total) == ((("a b", 3), ("germans", 20)), 40)


def test_lists_for_completion(session: Session) -> None:
    assert session.lists() == ("beta", "staff")


def test_explain(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(session.answer(".explain c01")).startswith("there is no rule yet")
    session.answer("visited")
    assert refused(session.answer(".explain")).startswith("whom?")
    asked = []

    def explain(self: object, contact: str, rule: object, *, now: object) -> str:
        asked.append((contact, repr(rule), str(now)))
        return "because"

    monkeypatch.setattr("segdsl.database.Database.explain", explain, raising=False)
    assert session.answer(".explain c01") == Listing("because", "text")
    assert asked == [("c01", "<Rule rule: visited>", "2026-03-09 00:00:00+00:00")]


def test_other_commands(session: Session) -> None:
    assert isinstance(listing := session.answer(".help"), Listing) and ".save NAME FILE" in listing.text
    assert isinstance(session.answer(".quit"), Left) and isinstance(session.answer(".EXIT"), Left)
    assert refused(session.answer(".segment")) == "no such command: .segment; did you mean .segments?"
    assert "`.help`" in refused(session.answer(".xyzzy 3"))


# --- saving -----------------------------------------------------------------------------------------------


def test_save_the_last_rule_behind_what_is_there(session: Session, project: Path) -> None:
    path = project / "segments" / "a.seg"
    session.answer('country="FR"   AND # both\n age>=18')
    assert session.answer(".save grown french segments/a.seg") == Said("saved `grown french` to segments/a.seg")
    assert path.read_text() == RULES + '\nsegment grown french:\n    country = "FR"  # both\n    and age >= 18\n'
    assert isinstance(answer := session.answer("in segment grown_french"), Answer) and answer.size == 11
    assert refused(session.answer(".save Grown_French segments/a.seg")).startswith("`Grown_French` exists already")
    assert isinstance(open_session().answer("in segment grown french"), Answer)


def test_save_what_was_declared(session: Session, project: Path) -> None:
    session.answer('segment old "Old ones": age>30')
    session.answer("segment older: in segment old and age>35")
    assert refused(session.answer(".save older segments/new.seg")) == (
        "it asks `old`, which only this session knows; save `old` first"
    )
    assert not (project / "segments" / "new.seg").exists()
    session.answer(".save old segments/new.seg")
    session.answer(".save older segments/new.seg")
    assert (project / "segments" / "new.seg").read_text() == (
        'segment old "Old ones":\n    age > 30\n\nsegment older:\n    in segment old and age > 35\n'
    )
    assert session.typed == () or all(not file.declarations for _, file in session.typed)


def test_save_keeps_the_newlines_of_a_file(session: Session, project: Path) -> None:
    path = project / "segments" / "w.seg"
    path.write_bytes(b"# remark\r\n\r\nsegment w:\r\n    age = 1")
    session.answer("age = 2")
    session.answer(".save x segments/w.seg")
    assert path.read_bytes() == (b"# remark\r\n\r\nsegment w:\r\n    age = 1\r\n\r\nsegment x:\r\n    age = 2\r\n")


def test_save_names_with_keywords(session: Session, project: Path) -> None:
    session.answer("age = 2")
    session.answer(".save `in and out` segments/b.seg")
    assert (project / "segments" / "b.seg").read_text() == "segment `in and out`:\n    age = 2\n"


def test_save_elsewhere_says_so(session: Session, project: Path) -> None:
    session.answer("age = 2")
    assert isinstance(said := session.answer(".save x y.seg"), Said) and "none of the project's rule files" in said.text
    assert codes(session.answer("in segment x")) == ["SEG0201"]


def test_save_refuses(session: Session, project: Path) -> None:
    assert refused(session.answer(".save x segments/a.seg")).startswith("there is no rule yet")
    session.answer("age = 2")
    for command, why in (
        (".save", "a name and a file"), (".save x", "a name and a file"), (".save 'x segments/a.seg", "a name and"),
        (".save germans segments/b.seg", "`germans` exists already, in segments/a.seg"),
        (".save x segments/a.txt", "not a rule file"), (".save x nowhere/a.seg", "no such folder: nowhere"),
    ):  # fmt: skip
        assert refused(session.answer(command)).startswith(why), command
    assert codes(session.answer(".save country segments/b.seg")) == ["SEG0205"]
    (project / "segments" / "bytes.seg").write_bytes(b"\xff")
    assert codes(session.answer(".save x segments/bytes.seg")) == ["SEG0008"]
    assert (project / "segments" / "a.seg").read_text() == RULES and not (project / "segments" / "b.seg").exists()


# --- interrupting -----------------------------------------------------------------------------------------


def test_a_question_can_be_stopped(project: Path) -> None:
    (project / "segdsl.yml").write_text(PROJECT.replace("./data", "duckdb:///slow.duckdb"))
    with duckdb.connect("slow.duckdb") as connection:
        connection.execute(SLOW)
    session = open_session()
    assert isinstance(session.answer("everyone"), Answer)
    found: list[Result | None] = []
    thread = threading.Thread(target=lambda: found.append(session.answer("visited >= 3")))
    thread.start()
    while thread.is_alive():
        session.interrupt()
        thread.join(0.05)
    assert found == [Stopped()]
    assert isinstance(session.answer("everyone"), Answer)
    session.interrupt()  # nothing runs: nothing happens
    assert isinstance(session.answer("everyone"), Answer)
    session.close()
    session.interrupt()


# --- in a pipe --------------------------------------------------------------------------------------------


def test_lines_put_together() -> None:
    lines = ["a", "", "b and", " c", "segment x:", "    d", "    and e", "f", "score s:", " +1 if g", " +2 if h", "",
             "country in (", '"DE",', ")", ".now 2026-01-01", "segment y: i", "segment z:", "  j"]  # fmt: skip
    assert [text for text in texts(lines) if text] == [
        "a", "b and\n c", "segment x:\n    d\n    and e", "f", "score s:\n +1 if g\n +2 if h\n",
        'country in (\n"DE",\n)', ".now 2026-01-01", "segment y: i", "segment z:\n  j",
    ]  # fmt: skip


def pipe(text: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segdsl", "repl", "--now", NOW, *options]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def test_a_pipe(project: Path) -> None:
    done = pipe('segment old:\n    age > 30\n    and country = "DE"\nin segment old\n\n# remark\n.segments\n')
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("old: 5 of 40 contacts (12.5%)  at 2026-03-09T00:00:00Z, ")
    assert lines[2].startswith("5 of 40 contacts") and lines[3] == "  c31, c33, c35, c37, c39"
    assert lines[4:] == ["germans  20", "old       5"]
    assert done.stderr.startswith("40 contacts at 2026-03-09T00:00:00Z, ") and "\x1b" not in done.stdout + done.stderr


def test_errors_in_a_pipe(project: Path) -> None:
    done = pipe("cuntry = 1\neveryone\nvisited and\n")
    assert done.returncode == 1 and done.stdout.startswith("40 of 40 contacts (100.0%)")
    assert done.stderr.count("error[") == 2 and "\x1b" not in done.stderr
    assert "\x1b[1;31m" in pipe("cuntry = 1", "--color").stderr
    assert pipe(".nwo\n").returncode == 1
    (project / "data" / "views.csv").unlink()
    done = pipe("visited\n")
    assert done.returncode == 2 and "SEG0711" in done.stderr
    assert pipe(".quit\ncuntry\n").returncode == 0
    assert pipe("").returncode == 0


def test_answers_come_line_by_line_and_ctrl_c_ends_a_pipe(project: Path) -> None:
    (project / "segdsl.yml").write_text(PROJECT.replace("./data", "duckdb:///slow.duckdb"))
    with duckdb.connect("slow.duckdb") as connection:
        connection.execute(SLOW)
    with subprocess.Popen(
        [sys.executable, "-m", "segdsl", "repl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout and process.stderr
        print("everyone", file=process.stdin, flush=True)
        assert process.stdout.readline().startswith("3 of 3 contacts")  # before the input has ended
        print("visited >= 3", file=process.stdin, flush=True)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "Traceback" not in process.stderr.read()


def test_the_project_has_errors(project: Path) -> None:
    (project / "segments" / "a.seg").write_text("segment bad: agee = 1")
    done = pipe("age = 1\n")
    assert done.returncode == 0 and done.stderr.startswith("the project's rule files have an error: `segdsl check`")
    (project / "segdsl.yml").write_text("version: 2")
    assert pipe("age = 1\n").returncode == 1
