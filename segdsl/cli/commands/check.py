"""`segdsl check`: every finding about the project file and rule files."""

from __future__ import annotations

import click

from segdsl.cli.common import common_options, note, show
from segdsl.text.render import FORMATS


@click.command("check")
@click.argument("paths", nargs=-1)
@click.option("--db", is_flag=True, help="Also compare segdsl.yml with the live database.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="human", help="How to write findings.")
@common_options
def command(paths: tuple[str, ...], db: bool, form: str) -> None:
    """Check the project file and rules: names, types and lints.

    PATHS are .seg files or folders, or one rule in quotes; without any, the whole project.
    Exit code 1 if there are errors.

    \b
    Examples:
      segdsl check
      segdsl check segments/leads.seg
      segdsl check --format github
      segdsl check --db
    """
    from segdsl.cli.target import load_target
    from segdsl.text.render import render

    loaded = load_target(paths)
    found = list(loaded.diagnostics)
    if db and loaded.catalog is not None:
        from segdsl.engines import connect
        from segdsl.engines.check import check_database

        with connect(loaded.catalog) as engine:
            found += check_database(loaded.catalog, loaded.program, engine)
    errors = sum(diagnostic.severity == "error" for diagnostic in found)
    warnings = len(found) - errors
    if form == "human":
        show(found)
    elif found or form != "github":
        click.echo(render(found, form))  # type: ignore[arg-type]  # click has checked it against FORMATS
    files = "1 rule file" if loaded.checked == 1 else f"{loaded.checked} rule files"
    problems = ", ".join(_count(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number)
    note(f"checked {files}: {problems or 'no problems'}")
    if errors:
        click.get_current_context().exit(1)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" + ("" if number == 1 else "s")
