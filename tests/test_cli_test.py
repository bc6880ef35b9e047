"""`segdsl test`: what goes to which stream, the formats, the exit codes, several projects."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

import segdsl
from segdsl.cli.main import cli

PROJECT = """\
version: 1
contacts: {table: contacts, key: id, attributes: {country: string}}
events:
  visited: {table: views, time: at, object: path, properties: {path: string}}
"""
RULES = """\
segment keen "Keen ones":
    visited "/pricing" >= 2 in 30d and country = "DE"

test keen "looks twice":
    contact country = "DE"
    2026-03-01 visited "/pricing"
    2026-03-02 visited "/pricing"
    on 2026-03-01 out
    on 2026-03-02 in

segment untested:
    visited
"""
FAILING = """
test keen "looks <once> & \\u{7}twice":
    2026-03-01 visited "/pricing"
    on 2026-03-01 in
    on 2026-03-02 out
    on 2026-03-03 in
"""
FAILURE = """\
error[SEG0540]: `keen` is out on 2026-03-01, and the test expects in
  --> keen.seg:16:5
   |
16 |     on 2026-03-01 in
   |     ^^^^^^^^^^^^^^^^ in the test `looks <once> & \ufffdtwice`
  why: false  all of:
         false  visited "/pricing" >= 2 in 30d  (count is 1)
         false  country = "DE"  (country is unknown)
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "segdsl.yml").write_text(PROJECT)
    (tmp_path / "keen.seg").write_text(RULES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["test", *arguments])


def add(project: Path, text: str, name: str = "keen.seg") -> None:
    path = project / name
    path.write_text((path.read_text() if path.exists() else "") + text)


def test_results_on_one_stream_and_the_summary_on_the_other(project: Path) -> None:
    done = call("keen.seg")
    assert done.stdout == "keen.seg\n  ok      keen: looks twice\n"
    assert done.stderr == "1 test, 1 passed, 0 failed\n"
    assert done.exit_code == 0


def test_failures_look_like_findings(project: Path) -> None:
    add(project, FAILING)
    done = call("keen.seg")
    head, first, second = done.stdout.split("\n\n")
    assert head == "keen.seg\n  ok      keen: looks twice\n  FAILED  keen: looks <once> & \ufffdtwice"
    assert first + "\n" == FAILURE
    assert second.startswith("error[SEG0540]: `keen` is out on 2026-03-03, and the test expects in\n")
    assert (done.stderr, done.exit_code) == ("2 tests, 1 passed, 1 failed\n", 1)
    assert "\x1b[1;31mFAILED\x1b[0m  keen" in call("keen.seg", "--color").stdout


def test_without_paths_the_projects_rules(project: Path) -> None:
    (project / "segdsl.yml").write_text(PROJECT + 'rules: ["rules/*.seg"]\n')
    done = call()
    assert (done.stdout, done.exit_code) == ("", 0)
    assert done.stderr.startswith("no tests here")
    (project / "rules").mkdir()
    (project / "keen.seg").rename(project / "rules" / "keen.seg")
    assert call().stdout.startswith("rules/keen.seg\n  ok ")


def test_json(project: Path) -> None:
    add(project, FAILING)
    done = call("keen.seg", "--format", "json", "--coverage")
    told = json.loads(done.stdout)
    assert (told["tests"], told["passed"], told["failed"], told["errors"]) == (2, 1, 1, [])
    good, bad = told["results"]
    assert good == {
        "segment": "keen", "title": "looks twice", "file": "keen.seg", "line": 4, "passed": True,
        "checks": [
            {"on": "2026-03-01", "at": "2026-03-01T00:00:00Z", "line": 8, "expected": "out", "actual": "out",
             "passed": True},
            {"on": "2026-03-02", "at": "2026-03-02T00:00:00Z", "line": 9, "expected": "in", "actual": "in",
             "passed": True},
        ],
    }  # fmt: skip
    assert [check["passed"] for check in bad["checks"]] == [False, True, False]
    assert bad["checks"][0]["rule"] == {
        "op": "and", "words": 'visited "/pricing" >= 2 in 30d and country = "DE"', "holds": False,
        "parts": [
            {"op": "test", "words": 'visited "/pricing" >= 2 in 30d', "holds": False, "found": "count is 1"},
            {"op": "test", "words": 'country = "DE"', "holds": False, "found": "country is unknown"},
        ],
    }  # fmt: skip
    [part] = told["coverage"]["projects"]
    assert (part["project"], part["untested"]) == ("segdsl.yml", ["untested"])
    assert [(rule["name"], rule["percent"]) for rule in part["rules"]] == [("keen", 100), ("untested", 0)]
    assert part["rules"][1]["gaps"][1] == {
        "file": "keen.seg", "line": 12, "column": 5, "words": "visited", "never": "false",
    }  # fmt: skip


def test_junit(project: Path) -> None:
    add(project, FAILING)
    done = call("keen.seg", "--format", "junit", "--coverage")
    root = ElementTree.fromstring(done.stdout)
    assert (root.tag, root.attrib) == ("testsuites", {"name": "segdsl", "tests": "2", "failures": "1", "errors": "0"})
    [suite] = root
    assert suite.attrib == {"name": "keen.seg", "tests": "2", "failures": "1", "errors": "0"}
    good, bad = suite
    assert (good.attrib["classname"], good.attrib["name"], len(good)) == ("keen", "looks twice", 0)
    [failure] = bad
    assert (failure.tag, failure.attrib["type"]) == ("failure", "SEG0540")
    assert failure.text is not None and failure.text.startswith(FAILURE)
    assert "coverage: " in done.stderr and "coverage: " not in done.stdout


def test_rules_with_errors(project: Path) -> None:
    add(project, "\nsegment wrong:\n    visted\n", "wrong.seg")
    done = call(".")
    assert done.stdout == ""
    assert "error[SEG0203]" in done.stderr
    assert done.stderr.endswith("1 error in the rules: tests of that project did not run\n")
    assert done.exit_code == 1
    # a file that is right can be tested beside one that is not
    assert call("keen.seg").exit_code == 0
    assert json.loads(call(".", "--format", "json").stdout)["errors"][0]["code"] == "SEG0203"
    root = ElementTree.fromstring(call(".", "--format", "junit").stdout)
    assert root.attrib["errors"] == "1" and root.find("testsuite/testcase/error") is not None


def test_one_segment_only(project: Path) -> None:
    add(project, "\ntest untested:\n    on 2026-03-01 in\n")
    done = call("keen.seg", "--segment", "Keen", "--coverage")
    assert done.exit_code == 0
    assert "1 test, 1 passed" in done.stderr
    assert "untested" not in done.stdout
    assert call("keen.seg", "--segment", "untested").exit_code == 1
    done = call("keen.seg", "--segment", "ken")
    assert (done.exit_code, done.stderr) == (2, "error: no such segment: ken\n  help: did you mean keen?\n")


def test_coverage(project: Path) -> None:
    done = call("keen.seg", "--coverage")
    assert done.stdout.split("\n\n")[1] == (
        "coverage: the parts of rules that tests have made both true and false\n"
        "   83%  keen      1 test\n"
        '        keen.seg:2:40  never false  country = "DE"\n'
        "    0%  untested  no tests\n"
        "   62%  in total, 5 of 8\n"
    )
    assert done.exit_code == 0
    done = call("keen.seg", "--fail-under", "63")
    assert done.exit_code == 1
    assert done.stderr.endswith("the coverage is 62%, below 63%\n")
    assert call("keen.seg", "--fail-under", "62").exit_code == 0


def test_each_file_belongs_to_the_nearest_project(project: Path) -> None:
    for name, attribute in (("one", "country"), ("two", "region")):
        (project / name / "deep").mkdir(parents=True)
        (project / name / "segdsl.yml").write_text(PROJECT.replace("country", attribute))
        text = f'segment keen:\n    {attribute} = "DE"\n\ntest keen:\n'
        text += f'    contact {attribute} = "DE"\n    on 2026-03-01 in\n'
        (project / name / "deep" / "keen.seg").write_text(text)
    done = call(".", "--coverage")
    assert done.exit_code == 0, done.output
    assert done.stderr == "3 tests, 3 passed, 0 failed\n"
    assert [line for line in done.stdout.splitlines() if line.endswith(".seg")] == [
        "keen.seg", "one/deep/keen.seg", "two/deep/keen.seg",
    ]  # fmt: skip
    # and an explicit project is the project of all
    done = call(".", "--project", "segdsl.yml")
    assert done.exit_code == 1 and "`region` is not an event or attribute" in done.stderr


@pytest.mark.parametrize("argument", ["nothing.seg", "visited in 30d", ""])
def test_arguments_are_paths(project: Path, argument: str) -> None:
    done = call(argument)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")


def test_a_folder_without_rules(project: Path) -> None:
    (project / "empty").mkdir()
    done = call("empty")
    assert done.exit_code == 2 and "there are no .seg files in empty" in done.stderr


def test_the_public_api_runs_tests(project: Path) -> None:
    add(project, FAILING)
    (project / "segdsl.yml").write_text(PROJECT + 'rules: ["*.seg"]\n')
    good, bad = segdsl.load("segdsl.yml").test()
    assert (good.segment, good.title, good.passed, good.line) == ("keen", "looks twice", True, 4)
    assert [outcome.inside for outcome in bad.outcomes] == [False, False, False]
    assert [found.code for found in bad.diagnostics] == ["SEG0540", "SEG0540"]
