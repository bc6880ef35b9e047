"""The command line: what goes where, exit codes, and every way of ending."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from segdsl.cli.main import COMMANDS, cli, run

PROJECT = """\
version: 1
database: ./data
timezone: Europe/Berlin
contacts:
  table: contacts
  key: contact_id
  attributes: {country: string}
events:
  visited: {table: views, time: at, object: path, properties: {path: string}}
"""
RULES = """\
segment germans:
    country = "DE"

segment keen "Keen ones":
    visited "/pricing" >= 2 in 30d
"""
NOW = "2026-03-09"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "segments").mkdir()
    (tmp_path / "segdsl.yml").write_text(PROJECT)
    (tmp_path / "segments" / "a.seg").write_text(RULES)
    (tmp_path / "data" / "contacts.csv").write_text("contact_id,country\nc2,DE\nc10,DE\nc1,FR\n")
    (tmp_path / "data" / "views.csv").write_text(
        "contact_id,at,path\nc1,2026-03-01T10:00:00Z,/pricing\nc1,2026-03-02T10:00:00Z,/pricing\nc2,2026-03-02,/\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str, input: str | None = None) -> Result:
    """Run in this process; `segdsl.cli.main.run` turns exceptions into codes, so this goes through click alone."""
    return CliRunner().invoke(cli, list(arguments), input=input)


def shell(*arguments: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "segdsl", *arguments]
    return subprocess.run(
        command, cwd=cwd, env={**os.environ, **(env or {})}, capture_output=True, text=True, check=False
    )


# --- run --------------------------------------------------------------------------------------------------


def test_a_rule_asks_nothing_that_has_errors(project: Path) -> None:
    """Neither a name that is not known, nor what cannot be read, not even through another."""
    (project / "segments" / "b.seg").write_text(
        'segment typo: cuntry = "DE"\n\nsegment unread: country = = 3\n\nscore points:\n    +3 if in segment typo\n\n'
        "segment over: in segment unread or in segment germans\n"
    )
    for rule, name in (
        ("in segment typo", "typo"), ("not in segment unread", "unread"), ("in segment over", "unread"),
        ("visited or points > 2", "typo"),
    ):  # fmt: skip
        done = call("run", rule, "--now", NOW)
        assert (done.exit_code, done.stdout) == (1, "") and f"error[SEG0209]: `{name}`" in done.stderr, rule
    assert call("run", "in segment germans", "--now", NOW, "--count").stdout == "rule\t2\n"


@pytest.mark.parametrize("backend", ["sql", "python"])
def test_run_prints_members_sorted(project: Path, backend: str) -> None:
    done = call("run", "--now", NOW, "--format", "jsonl", "--backend", backend)
    assert done.exit_code == 0, done.output
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows == [
        {"segment": "germans", "contact": "c10"},
        {"segment": "germans", "contact": "c2"},
        {"segment": "keen", "contact": "c1"},
    ]
    assert done.stderr == "2 segments, 3 members; --now 2026-03-09T00:00:00Z\n"


def test_run_formats(project: Path) -> None:
    assert call("run", "--now", NOW, "--count").stdout == "germans\t2\nkeen\t1\n"
    assert call("run", "--now", NOW, "--format", "csv", "--segment", "Keen").stdout == "segment,contact\nkeen,c1\n"
    assert call("run", "--now", NOW, "segments").stdout.splitlines()[0] == "segment  contact"
    assert call("run", "--now", NOW, 'country = "FR"').stdout == "segment  contact\nrule     c1\n"
    assert call("run", "--now", NOW, 'country = "XX"', "--count").stdout == "rule\t0\n"


def test_run_writes_parquet(project: Path) -> None:
    import duckdb

    assert call("run", "--now", NOW, "--format", "parquet", "-o", "out.parquet").exit_code == 0
    assert duckdb.sql("FROM 'out.parquet'").fetchall() == [("germans", "c10"), ("germans", "c2"), ("keen", "c1")]
    assert sorted(path.name for path in project.iterdir()) == ["data", "out.parquet", "segdsl.yml", "segments"]


def test_a_rule_may_use_the_projects_segments(project: Path) -> None:
    done = call("run", "--now", NOW, "not in segment germans", "--count")
    assert done.stdout == "rule\t1\n"


def test_a_file_outside_the_project_may_use_its_segments(project: Path) -> None:
    (project / "new.seg").write_text("segment others:\n    not in segment germans\n")
    assert call("run", "--now", NOW, "new.seg", "--count").stdout == "others\t1\n"


@pytest.mark.parametrize("now", ["yesterday", "2026-02-30", ""])
def test_now_must_be_a_time(project: Path, now: str) -> None:
    assert call("run", "--now", now).exit_code == 2


def test_now_without_a_zone_is_the_projects(project: Path) -> None:
    assert "2026-03-08T23:00:00Z" in call("run", "--now", "2026-03-09T00:00").stderr


# --- check and fmt ----------------------------------------------------------------------------------------


def test_check_shows_the_line(project: Path) -> None:
    (project / "segments" / "b.seg").write_text('segment b:\n    visted "/pricing" in 7d\n')
    done = call("check")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "error[SEG0203]" in done.stderr
    assert '\n  --> segments/b.seg:2:5\n  |\n2 |     visted "/pricing" in 7d\n  |     ^^^^^^' in done.stderr
    assert "did you mean `visited`?" in done.stderr
    # the other file is as fine as it was
    assert call("check", "segments/a.seg").exit_code == 0


def test_check_for_programs(project: Path) -> None:
    (project / "segments" / "b.seg").write_text("segment b:\n    visted\n")
    [found] = json.loads(call("check", "--format", "json").stdout)
    assert (found["code"], found["file"], found["line"], found["column"]) == ("SEG0203", "segments/b.seg", 2, 5)
    assert (found["endLine"], found["endColumn"]) == (2, 11)
    line = call("check", "--format", "github").stdout
    assert line.startswith("::error file=segments/b.seg,line=2,endLine=2,col=5,endColumn=11,title=SEG0203::")
    log = json.loads(call("check", "--format", "sarif").stdout)
    assert log["version"] == "2.1.0"
    assert log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 2


def test_check_without_findings(project: Path) -> None:
    assert json.loads(call("check", "--format", "json").stdout) == []
    assert call("check", "--db").exit_code == 0
    assert call("check", "--format", "github").stdout == ""


def test_fmt(project: Path) -> None:
    path = project / "segments" / "a.seg"
    path.write_text('segment germans:\n  country="DE"\n')
    assert call("fmt", "--check").exit_code == 1
    diff = call("fmt", "--diff")
    assert diff.exit_code == 1 and '+    country = "DE"' in diff.stdout
    assert call("fmt").exit_code == 0
    assert path.read_text() == 'segment germans:\n    country = "DE"\n'
    assert call("fmt", "--check").exit_code == 0
    piped = call("fmt", "-", input='segment a:\n  country="DE"\n')
    assert piped.stdout == 'segment a:\n    country = "DE"\n'


def test_fmt_leaves_broken_files(project: Path) -> None:
    path = project / "segments" / "a.seg"
    path.write_text("segment a:\n  (visited\n")
    assert call("fmt").exit_code == 1
    assert path.read_text() == "segment a:\n  (visited\n"


# --- the rest ---------------------------------------------------------------------------------------------


def test_sql_runs(project: Path) -> None:
    done = call("sql", 'country = "DE"', "--dialect", "duckdb", "--now", NOW)
    assert done.exit_code == 0 and "SELECT" in done.stdout


def test_schema_and_pages(project: Path) -> None:
    assert json.loads(call("schema").stdout)["type"] == "object"
    assert call("explain-code", "seg0203").stdout.startswith("# SEG0203: ")
    wrong = call("explain-code", "SEG0230")
    assert wrong.exit_code == 2 and "did you mean SEG0" in wrong.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples(name: str) -> None:
    done = call(name, "--help")
    assert done.exit_code == 0 and "Example" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "nowhere.seg"],
        ["run", "--segment", "nobody"],
        ["run", "country", "visited"],
        ["check", "--project", "nowhere.yml"],
        ["chek"],
        ["run", "--nonsense"],
        ["run", "-o", "nowhere/out.csv"],
        ["fmt", "nowhere.seg"],
        ["sql", "--dialect", "basic"],
    ],
)
def test_usage_and_environment_end_with_2(
    project: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    text = capsys.readouterr().err
    assert text and "Traceback" not in text and "bug in segdsl" not in text


def test_no_project(tmp_path: Path) -> None:
    done = shell("check", cwd=tmp_path)
    assert done.returncode == 2 and "segdsl.yml" in done.stderr


def test_rules_of_two_projects(project: Path) -> None:
    (project / "inner").mkdir()
    (project / "inner" / "segdsl.yml").write_text(PROJECT.replace("./data", "../data"))
    (project / "inner" / "b.seg").write_text("segment b:\n    everyone\n")
    for command in ("check", "run"):
        done = shell(command, ".", cwd=project)
        assert done.returncode == 2 and "these rules belong to two projects: inner/b.seg" in done.stderr
    assert shell("run", "inner", "--count", cwd=project).stdout.startswith("b\t")
    assert shell("check", ".", "--project", "segdsl.yml", cwd=project).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "everyone", "-o", "gone/x.csv"], "error: no such folder: gone\n  help: make it first"),
        (["run", "everyone", "-o", "data"], "error: data is a folder\n  help: name a file in it"),
        (["run", "--segment", "xyz"], "error: no such segment: xyz\n  help: the segments are "),
        (["run", "gone.seg"], "error: no such file or folder: gone.seg\n  help: name .seg files"),
        (["fmt", "data"], "error: there are no .seg files in data\n  help: "),
    ],
)
def test_mistakes_name_the_way_out(project: Path, arguments: list[str], message: str) -> None:
    done = shell(*arguments, cwd=project)
    assert (done.returncode, done.stdout) == (2, "") and message in done.stderr


def test_output_to_a_dash_is_standard_output(project: Path) -> None:
    done = shell("run", "everyone", "--count", "-o", "-", cwd=project)
    assert done.stdout.startswith("rule\t") and not (project / "-").exists()


def test_no_database(project: Path) -> None:
    (project / "segdsl.yml").write_text(PROJECT.replace("./data", "./gone"))
    done = shell("run", cwd=project)
    assert (done.returncode, done.stdout) == (2, "") and "SEG0710" in done.stderr


def test_a_list_that_nobody_is_on(project: Path) -> None:
    (project / "segdsl.yml").write_text(PROJECT + "lists: {table: members, list: list, contact: contact_id}\n")
    (project / "data" / "members.csv").write_text("list,contact_id\nemployees,c1\n")
    (project / "segments" / "a.seg").write_text('segment a:\n    country = "DE" and not in list "emploees"\n')
    assert shell("check", cwd=project).stderr == "checked 1 rule file: no problems\n"
    done = shell("check", "--db", cwd=project)
    assert done.returncode == 0
    assert "warning[SEG0717]" in done.stderr and "did you mean `employees`?" in done.stderr


def test_a_bug_is_no_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("segdsl.catalog.schema.json_schema", lambda: 1 / 0)
    assert run(["schema"]) == 2
    assert "this is a bug in segdsl" in capsys.readouterr().err
    monkeypatch.setenv("SEGDSL_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run(["schema"])


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("segdsl.catalog.schema.json_schema", interrupted)
    assert run(["schema"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_a_closed_pipe_is_quiet(project: Path) -> None:
    rows = "".join(f"c{number},DE\n" for number in range(20_000))
    (project / "data" / "contacts.csv").write_text("contact_id,country\n" + rows)
    process = subprocess.Popen(
        [sys.executable, "-m", "segdsl", "run", "--format", "csv"],
        cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout and process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read().decode() == ""
    process.stderr.close()
    assert process.wait() == 0


def test_colors(project: Path) -> None:
    assert "\x1b[" not in shell("check", "visted", cwd=project).stderr
    assert "\x1b[1;31m" in shell("--color", "check", "visted", cwd=project).stderr
    assert "\x1b[1;31m" in shell("check", "visted", "--color", cwd=project, env={"NO_COLOR": "1"}).stderr


def test_help_is_fast(tmp_path: Path) -> None:
    """What matters is what is imported. Of the processor it may take more than the 0.15 s meant: machines differ."""
    heavy = {"duckdb", "lark", "sqlglot", "rich", "prompt_toolkit"}
    code = f"import sys, segdsl.cli.main; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    before = os.times()
    assert shell("--help", cwd=tmp_path).returncode == 0
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1.5


def test_closed_streams_and_an_empty_rule_are_no_bugs(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id\na\n")
    (tmp_path / "segdsl.yml").write_text(
        "version: 1\ndatabase: .\ncontacts: {table: people, key: id, attributes: {}}\n"
    )
    for closed in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        command = f"{sys.executable} -m segdsl run everyone --count {closed}"
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0 and "bug" not in done.stderr, (closed, done.stderr)
    empty = subprocess.run([sys.executable, "-m", "segdsl", "run", ""], cwd=tmp_path, capture_output=True, text=True)
    assert empty.returncode == 1 and "SEG0109" in empty.stderr and not empty.stdout
    nothing = subprocess.run(
        [sys.executable, "-m", "segdsl", "check", "."], cwd=tmp_path, capture_output=True, text=True
    )
    assert nothing.returncode == 2 and "no .seg files" in nothing.stderr
