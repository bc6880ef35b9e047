"""`segdsl test`: the test blocks of rule files."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import click

from segdsl.cli.common import by_project, colored, common_options, no_segment, note, show
from segdsl.text.render import many

if TYPE_CHECKING:
    from segdsl.analysis.stories.coverage import Coverage
    from segdsl.analysis.stories.trial import Result
    from segdsl.cli.reports import Report
    from segdsl.cli.target import Loaded

_ABOUT_TESTS = {"SEG0536"}  # warnings that are about test blocks; those about rules are for `segdsl check`


@click.command("test")
@click.argument("paths", nargs=-1)
@click.option("--segment", "segments", metavar="NAME", multiple=True, help="Only tests of this one; may be repeated.")
@click.option("--coverage", is_flag=True, help="Also tell which parts of rules were never true or never false.")
@click.option(
    "--fail-under", metavar="N", type=click.IntRange(0, 100), help="Exit code 1 if the coverage is below N percent."
)
@click.option(
    "--format", "form", type=click.Choice(["human", "json", "junit"]), default="human", help="How to write results."
)
@common_options
def command(
    paths: tuple[str, ...], segments: tuple[str, ...], coverage: bool, fail_under: int | None, form: str
) -> None:
    """Run the test blocks of rule files.

    PATHS are .seg files or folders, of one project or several; without any, the whole project.
    Exit code 1 if a test fails or rules have errors.

    \b
    Examples:
      segdsl test
      segdsl test segments/leads.seg --segment engaged_leads
      segdsl test --coverage --fail-under 90
      segdsl test --format junit > report.xml
    """
    from segdsl.cli.reports import Report, summary
    from segdsl.cli.target import load_files
    from segdsl.rule_files import display

    coverage = coverage or fail_under is not None
    loaded = {display(project): load_files(project, files) for project, files in by_project(paths).items()}
    wanted = _wanted(segments, loaded.values())
    results: list[Result] = []
    covered: dict[str, Coverage] = {}
    for project, each in loaded.items():
        show(found for found in each.diagnostics if found.severity == "error" or found.code in _ABOUT_TESTS)
        more, part = _run(each, wanted, coverage)
        results += more
        if part is not None:
            covered[project] = part
    errors = [d for each in loaded.values() for d in each.diagnostics if d.severity == "error"]
    report = Report(tuple(results), tuple(errors), covered)
    _write(report, form)
    if errors:
        note(f"{many(len(errors), 'error')} in the rules: tests of that project did not run")
    if results:
        note(summary(report))
    elif not errors:
        note("no tests here: a `test` block tells a contact's story, and when it is in or out of a segment")
    below = fail_under is not None and report.percent < fail_under
    if below:
        note(f"the coverage is {report.percent}%, below {fail_under}%")
    if errors or report.failed or below:
        click.get_current_context().exit(1)


def _write(report: Report, form: str) -> None:
    """The results on standard output; JUnit has no place for coverage, so there it goes to standard error."""
    from segdsl.cli.reports import WRITERS, coverage_text, human

    if form == "human":
        colors = colored(sys.stdout)
        told = [human(report, color=colors)] if report.results else []
        told += [coverage_text(report)] if report.coverage else []
        if told:
            click.echo("\n\n".join(told), color=colors)
        return
    click.echo(WRITERS[form](report))
    if report.coverage and form == "junit":
        note(coverage_text(report))


def _wanted(segments: Sequence[str], loaded: Collection[Loaded]) -> set[str] | None:
    """The keys of the segments asked for, None for all. A name that is nowhere ends the command."""
    from segdsl.catalog import name_key

    if not segments:
        return None
    known = {name_key(name): name for each in loaded if each.program for name in each.program.segments}
    complete = all(each.program for each in loaded)  # what has errors may well have had the name
    for segment in segments:
        if name_key(segment) not in known and complete:
            raise no_segment(segment, list(known.values()))
    return {name_key(segment) for segment in segments}


def _run(loaded: Loaded, wanted: set[str] | None, covering: bool) -> tuple[list[Result], Coverage | None]:
    from segdsl.analysis.stories.trial import Trial
    from segdsl.catalog import name_key
    from segdsl.check import stories

    if loaded.failed or loaded.catalog is None or loaded.program is None:
        return [], None
    asked = [(source, file) for source, file in loaded.files if source.name in loaded.asked]
    told = stories(asked, loaded.catalog, loaded.files)
    names = list(loaded.names)
    if wanted is not None:
        told = [story for story in told if name_key(story.segment) in wanted]
        names = [name for name in loaded.program.segments if name_key(name) in wanted]
    trial = Trial(loaded.program, told, loaded.catalog.timezone)
    results = trial.run(covering=covering)
    return results, trial.coverage(names) if covering else None
