"""`segdsl plan`, `apply` and `snapshot`: what goes where, and exit codes; the same from Python."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

import segdsl
from tests.test_cli import NOW, RULES, call, shell

PROJECT = """\
version: 1
database: duckdb:///w.duckdb
contacts: {table: contacts, key: contact_id, attributes: {country: string}}
events:
  visited: {table: views, time: at, object: path, properties: {path: string}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segdsl.yml").write_text(PROJECT)
    (tmp_path / "segments" / "a.seg").write_text(RULES)
    with duckdb.connect(str(tmp_path / "w.duckdb")) as connection:
        connection.execute("CREATE TABLE contacts (contact_id INT, country VARCHAR)")
        connection.execute("INSERT INTO contacts VALUES (2, 'DE'), (10, 'DE'), (1, 'FR')")
        connection.execute('CREATE TABLE views (contact_id INT, "at" TIMESTAMP, path VARCHAR)')
        for day in ("2026-03-01", "2026-03-02"):
            connection.execute(f"INSERT INTO views VALUES (1, '{day} 10:00', '/pricing')")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_plan_apply_and_plan_again(project: Path) -> None:
    planned = call("plan", "--now", NOW, "--detailed-exitcode")
    assert planned.exit_code == 1
    assert planned.stdout == (
        "germans: new segment: 2 enter, 0 leave, 2 in it then\n  + 2, 10\n"
        "keen: new segment: 1 enter, 0 leave, 1 in it then\n  + 1\n"
    )
    assert planned.stderr == (
        "3 enter, 0 leave; everyone was looked at: this is the first; --now 2026-03-09T00:00:00Z\n"
    )
    applied = call("apply", "--now", NOW)
    assert (applied.exit_code, applied.stdout) == (0, planned.stdout)
    assert applied.stderr.startswith("3 entered, 0 left; ")
    again = call("plan", "--now", NOW, "--detailed-exitcode")
    assert (again.exit_code, again.stdout) == (0, "no change: germans, keen\n")
    assert again.stderr == "0 enter, 0 leave; 0 contacts were looked at; --now 2026-03-09T00:00:00Z\n"
    with duckdb.connect("w.duckdb", read_only=True) as connection:
        rows = connection.execute("SELECT segment, contact, entered_at FROM segdsl_members ORDER BY 1, 2").fetchall()
    at = datetime(2026, 3, 9)
    assert rows == [("germans", 2, at), ("germans", 10, at), ("keen", 1, at)]


def test_time_alone_and_other_rules(project: Path) -> None:
    call("apply", "--now", NOW)
    assert "keen: 0 enter, 1 leave, 0 in it then\n  - 1\n" in call("plan", "--now", "2026-03-31T10:00").stdout
    (project / "segments" / "a.seg").write_text(RULES.replace('"DE"', '"FR"'))
    found = call("plan", "--now", NOW, "--segment", "Germans")
    assert found.stdout == "germans: definition changed: 1 enter, 2 leave, 1 in it then\n  + 1\n  - 2, 10\n"
    assert call("plan", "--segment", "germens").exit_code == 2
    [germans, keen] = json.loads(call("apply", "--now", NOW, "--format", "json").stdout)["segments"]
    assert (germans["status"], germans["entered"], germans["left"], germans["size"]) == ("changed", 1, 2, 1)
    assert (keen["status"], keen["names"]) == ("same", {"entered": [], "left": []})
    back = shell("apply", "--now", "2026-03-08", cwd=project)
    assert back.returncode == 2 and back.stdout == "" and "SEG0740" in back.stderr


def test_without_a_segment_all_leave_but_not_without_a_file(project: Path) -> None:
    rules = project / "segments" / "a.seg"
    rules.write_text("# none\n")
    for command in ("plan", "apply"):
        found = call(command, "--now", NOW)
        assert (found.exit_code, found.stdout) == (2, "") and "none are stored" in found.stderr
    rules.write_text(RULES)
    call("apply", "--now", NOW)
    rules.unlink()
    for command in ("plan", "apply"):
        found = call(command, "--now", NOW)
        assert (found.exit_code, found.stdout) == (2, "") and "keep a .seg file that has none" in found.stderr
    rules.write_text("# none\n")
    for command in ("plan", "apply"):
        found = call(command, "--now", NOW)
        assert found.exit_code == 0 and "keen: removed: 0 enter, 1 leave, 0 in it then" in found.stdout
    assert call("apply", "--now", NOW).exit_code == 2


def test_full_tells_what_was_missed(project: Path) -> None:
    call("apply", "--now", NOW)
    with duckdb.connect("w.duckdb") as connection:
        connection.execute("DELETE FROM views")
    assert call("apply", "--now", NOW).stdout == "no change: germans, keen\n"
    full = call("apply", "--now", NOW, "--full")
    assert "keen: 0 enter, 1 leave, 0 in it then" in full.stdout
    assert "; 1 of these changes had been missed; " in full.stderr


def test_a_snapshot_says_what_the_project_file_needs(project: Path) -> None:
    made = call("snapshot", "germans", "--as", "spring", "--now", NOW)
    line = "lists: {table: segdsl_lists, list: list, contact: contact}\n"
    assert (made.exit_code, made.stdout) == (0, line)
    assert made.stderr.endswith('2 contacts of germans on the list "spring"; --now 2026-03-09T00:00:00Z\n')
    (project / "segdsl.yml").write_text(PROJECT + line)
    assert call("run", 'in list "spring"', "--format", "jsonl").stdout.count("\n") == 2
    assert call("snapshot", "keen", "--as", "spring", "--now", NOW).stdout == ""
    assert call("run", 'in list "spring"', "--format", "csv").stdout == "segment,contact\nrule,1\n"
    assert call("snapshot", "kean", "--as", "spring").exit_code == 2


def test_a_list_without_a_name_is_none(project: Path) -> None:
    for name in ("", " ", "a\udcff"):
        found = call("snapshot", "keen", "--as", name, "--now", NOW)
        assert found.exit_code == 2 and "a list needs a name" in found.stderr
    made = call("snapshot", "keen", "--as", "a\u202eb", "--now", NOW)
    assert made.exit_code == 0 and made.stderr.endswith('on the list "a<U+202E>b"; --now 2026-03-09T00:00:00Z\n')


def test_a_name_in_other_letters_is_another_segment(project: Path) -> None:
    call("apply", "--now", NOW)
    (project / "segments" / "a.seg").write_text(RULES.replace("keen", "Keen"))
    told = "Keen: new segment: 1 enter, 0 leave, 1 in it then\n  + 1\n"
    told += "keen: removed: 0 enter, 1 leave, 0 in it then\n  - 1\n"
    assert call("plan", "--now", NOW, "--segment", "KEEN").stdout == told
    assert call("apply", "--now", NOW).stdout == told + "no change: germans\n"


def test_a_project_without_a_database_is_told(project: Path) -> None:
    (project / "segdsl.yml").write_text(PROJECT.replace("database: duckdb:///w.duckdb\n", ""))
    for command in (["plan"], ["apply"], ["snapshot", "keen", "--as", "x"]):
        found = shell(*command, cwd=project)
        assert found.returncode == 2 and "SEG0710" in found.stderr


def test_a_file_that_is_no_database_is_told(project: Path) -> None:
    (project / "w.duckdb").write_text("garbage")
    found = shell("apply", cwd=project)
    assert found.returncode == 2 and "not a valid DuckDB" in found.stderr and "help: `database` in" in found.stderr


def test_a_folder_is_told_where_membership_can_be_stored(project: Path) -> None:
    (project / "segdsl.yml").write_text(PROJECT.replace("duckdb:///w.duckdb", "."))
    for command in (["plan"], ["apply"], ["snapshot", "keen", "--as", "x"]):
        found = shell(*command, cwd=project)
        assert found.returncode == 2 and "SEG0741" in found.stderr and "duckdb:///" in found.stderr


def test_from_python(project: Path) -> None:
    now = datetime(2026, 3, 9, tzinfo=UTC)
    with segdsl.load(project).connect() as db:
        assert [each.entered for each in db.plan(now=now).segments] == [2, 1]
        done = db.apply(now=now)
        assert done.applied and done.differs and not db.plan(now=now).differs
        assert db.snapshot("Keen", "x", now=now).size == 1
        assert [each.left for each in db.apply(now=now + timedelta(days=23), full=True).segments] == [0, 1]
        assert list(db.members(now=now)) == [("germans", 2), ("germans", 10), ("keen", 1)]
        with pytest.raises(ValueError, match="zone"):
            db.plan(now=datetime(2026, 3, 9))
        with pytest.raises(KeyError):
            db.snapshot("nobody", "x")


def test_the_program_on_the_page(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[1] / "docs" / "warehouse.md").read_text(encoding="utf-8")
    *_, program = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (project / "segments" / "a.seg").write_text('segment engaged_leads:\n    visited "/pricing" >= 2\n')
    exec(compile(program, "warehouse.md", "exec"), {"project": segdsl.load()})
    assert capsys.readouterr().out == "engaged_leads new 1 0 1\n"
    with duckdb.connect("w.duckdb", read_only=True) as connection:
        assert connection.execute("FROM segdsl_lists").fetchall() == [("spring campaign", 1)]
