"""What `segdsl test` writes: for people, as JSON, as JUnit XML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from xml.etree import ElementTree

from segdsl.analysis.stories.anatomy import Verdict
from segdsl.analysis.stories.coverage import Coverage, Covered, percent
from segdsl.analysis.stories.trial import Outcome, Result, day
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.render import as_dict, many, printable, render, width

_LONGEST = 90  # of a part's words in the report on coverage
_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot hold


@dataclass(frozen=True)
class Report:
    """What was run in one or more projects.

    errors: of project and rule files, whose tests did not run.
    coverage: by project file; empty if nobody asked.
    """

    results: tuple[Result, ...]
    errors: tuple[Diagnostic, ...]
    coverage: Mapping[str, Coverage]

    @property
    def failed(self) -> int:
        """How many tests failed."""
        return sum(not result.passed for result in self.results)

    @property
    def percent(self) -> int:
        """Of all projects together."""
        parts = self.coverage.values()
        return percent(sum(part.reached for part in parts), sum(part.goals for part in parts))


def summary(report: Report) -> str:
    """One line that tells how it went."""
    total, failed = len(report.results), report.failed
    return f"{many(total, 'test')}, {total - failed} passed, {failed} failed"


# --- for people -------------------------------------------------------------------------------------------------


def human(report: Report, *, color: bool = False) -> str:
    """A line for each test under its file, and each failure with its line and the parts of the rule."""
    ok, bad = ("\x1b[32mok\x1b[0m    ", "\x1b[1;31mFAILED\x1b[0m") if color else ("ok    ", "FAILED")
    lines: list[str] = []
    for file, results in groupby(report.results, key=lambda result: result.file):
        lines.append(printable(file))
        lines += [f"  {ok if each.passed else bad}  {each.segment}: {printable(each.title)}" for each in results]
    failures = render((found for result in report.results for found in result.diagnostics), color=color)
    return "\n".join(lines) + (f"\n\n{failures}" if failures else "")


def coverage_text(report: Report) -> str:
    """For each segment and score how much was shown, and the parts that were never true or never false."""
    covered = [each for coverage in report.coverage.values() for each in coverage.covered]
    names = [f"{'score ' if each.kind == 'score' else ''}{each.name}" for each in covered]
    wide = max(map(width, names), default=0)
    lines = ["coverage: the parts of rules that tests have made both true and false"]
    for name, each in zip(names, covered, strict=True):
        tests = "" if each.kind == "score" else "  1 test" if each.tests == 1 else f"  {each.tests or 'no'} tests"
        lines.append(f"{each.percent:>5}%  {name}{' ' * (wide - width(name))}{tests}".rstrip())
        if each.reached:
            lines += _gaps(each)
    reached = sum(part.reached for part in report.coverage.values())
    goals = sum(part.goals for part in report.coverage.values())
    return "\n".join([*lines, f"{report.percent:>5}%  in total, {reached} of {goals}"])


def _gaps(covered: Covered) -> list[str]:
    places = [f"{printable(gap.file)}:{gap.line}:{gap.column}" for gap in covered.gaps]
    wide = max(map(width, places), default=0)
    lines = []
    for place, gap in zip(places, covered.gaps, strict=True):
        words = printable(gap.part.words)
        shown = words if len(words) <= _LONGEST else words[: _LONGEST - 3] + "..."
        never = "never true " if gap.missing else "never false"
        lines.append(f"        {place}{' ' * (wide - width(place))}  {never}  {shown}")
    return lines


# --- for programs -----------------------------------------------------------------------------------------------


def as_json(report: Report) -> str:
    """The report as one JSON document."""
    document: dict[str, object] = {
        "tests": len(report.results),
        "passed": len(report.results) - report.failed,
        "failed": report.failed,
        "results": [_result(result) for result in report.results],
        "errors": [as_dict(error) for error in report.errors],
    }
    if report.coverage:
        document["coverage"] = {
            "percent": report.percent,
            "projects": [_project(name, part) for name, part in report.coverage.items()],
        }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _result(result: Result) -> dict[str, object]:
    return {
        "segment": result.segment,
        "title": result.title,
        "file": result.file,
        "line": result.line,
        "passed": result.passed,
        "checks": [_check(result, outcome) for outcome in result.outcomes],
    }


def _check(result: Result, outcome: Outcome) -> dict[str, object]:
    """One `on` line: `on` as it was written, `at` the instant; a failure has the rule's parts."""
    told: dict[str, object] = {
        "on": day(result.story, outcome.expected),
        "at": outcome.at,
        "line": result.story.source.position(outcome.expected.span.start)[0],
        "expected": "in" if outcome.expected.inside else "out",
        "actual": "in" if outcome.inside else "out",
        "passed": outcome.passed,
    }
    if outcome.verdict is not None:
        told["rule"] = _verdict(outcome.verdict)
    return told


def _verdict(verdict: Verdict) -> dict[str, object]:
    told: dict[str, object] = {"op": verdict.op, "words": verdict.words, "holds": verdict.holds}
    if verdict.found:
        told["found"] = verdict.found
    if verdict.parts:
        told["parts"] = [_verdict(part) for part in verdict.parts]
    return told


def _project(name: str, coverage: Coverage) -> dict[str, object]:
    return {
        "project": name,
        "percent": coverage.percent,
        "reached": coverage.reached,
        "goals": coverage.goals,
        "untested": coverage.untested,
        "rules": [
            {
                "kind": each.kind,
                "name": each.name,
                "tests": each.tests,
                "percent": each.percent,
                "reached": each.reached,
                "goals": each.goals,
                "gaps": [
                    {
                        "file": gap.file,
                        "line": gap.line,
                        "column": gap.column,
                        "words": gap.part.words,
                        "never": "true" if gap.missing else "false",
                    }
                    for gap in each.gaps
                ],
            }
            for each in coverage.covered
        ],
    }


def junit(report: Report) -> str:
    """The report as JUnit XML: a suite for each file, a case for each test; errors of files are cases, too."""
    root = ElementTree.Element(
        "testsuites", name="segdsl", tests=str(len(report.results) + len(report.errors)),
        failures=str(report.failed), errors=str(len(report.errors)),
    )  # fmt: skip
    for file, group in groupby(report.results, key=lambda result: result.file):
        results = list(group)
        failed = sum(not result.passed for result in results)
        suite = _suite(root, file, len(results), failed, 0)
        for result in results:
            case = ElementTree.SubElement(
                suite, "testcase", classname=_xml(result.segment), name=_xml(result.title), file=_xml(result.file),
                line=str(result.line),
            )  # fmt: skip
            found = result.diagnostics
            if found:
                failure = ElementTree.SubElement(case, "failure", type=found[0].code)
                failure.set("message", _xml("; ".join(each.message for each in found)))
                failure.text = _xml("\n\n".join(render([each]) for each in found))
    for file, grouped in groupby(report.errors, key=lambda error: error.source.name if error.source else "segdsl"):
        errors = list(grouped)
        suite = _suite(root, file, len(errors), 0, len(errors))
        for error in errors:
            case = ElementTree.SubElement(suite, "testcase", classname="check", name=error.code)
            told = ElementTree.SubElement(case, "error", type=error.code, message=_xml(error.message))
            told.text = _xml(render([error]))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")


def _suite(root: ElementTree.Element, file: str, tests: int, failures: int, errors: int) -> ElementTree.Element:
    return ElementTree.SubElement(
        root, "testsuite", name=_xml(file), tests=str(tests), failures=str(failures), errors=str(errors)
    )


def _xml(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)


WRITERS = {"json": as_json, "junit": junit}
