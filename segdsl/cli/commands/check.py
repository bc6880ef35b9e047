"""`segdsl check`: every finding about the project file and rule files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from segdsl.cli.common import Stop, common_options, note, show, split
from segdsl.text.render import FORMATS, many

if TYPE_CHECKING:
    from segdsl.catalog.model import Catalog
    from segdsl.core.program import Program
    from segdsl.text.diagnostic import Diagnostic

_PASSES = 20


@click.command("check")
@click.argument("paths", nargs=-1)
@click.option("--db", is_flag=True, help="Also compare segdsl.yml with the live database.")
@click.option("--streaming", is_flag=True, help="Also tell what `segdsl follow` keeps of each contact, test by test.")
@click.option("--fix", is_flag=True, help="Apply the fixes that change no rule's meaning, then check.")
@click.option("--lint", "lints", metavar="NAME", multiple=True, help="Switch a lint on, by name or code; repeatable.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="human", help="How to write findings.")
@common_options
def command(paths: tuple[str, ...], db: bool, streaming: bool, fix: bool, lints: tuple[str, ...], form: str) -> None:
    """Check the project file and rules: names, types and lints.

    PATHS are .seg files or folders, or one rule in quotes; without any, the whole project.
    Exit code 1 if there are errors; warnings alone leave it 0.

    \b
    Examples:
      segdsl check
      segdsl check segments/leads.seg
      segdsl check --format github
      segdsl check --db
      segdsl check --streaming
      segdsl check --fix
      segdsl check --lint unknown-under-not
    """
    from segdsl.cli.target import load_target
    from segdsl.text.render import render

    names = [_lint(word) for word in lints]
    if fix:
        _fix(paths, names)
    loaded = load_target(paths, names)
    found = list(loaded.diagnostics)
    if db and loaded.catalog is not None:
        from segdsl.cli.interruption import interruptible
        from segdsl.engines import connect
        from segdsl.engines.checks import check_database

        with connect(loaded.catalog) as engine, interruptible(engine):
            found += check_database(loaded.catalog, loaded.program, engine)
    if streaming and loaded.catalog is not None and loaded.program is not None:
        found += _streaming(loaded.program, loaded.catalog, loaded.names, form == "human")
    errors = sum(diagnostic.severity == "error" for diagnostic in found)
    warnings = len(found) - errors
    if form == "human":
        show(found)
    elif found or form != "github":
        click.echo(render(found, form))  # type: ignore[arg-type]  # click has checked it against FORMATS
    problems = ", ".join(many(number, word) for number, word in ((errors, "error"), (warnings, "warning")) if number)
    note(f"checked {many(loaded.checked, 'rule file')}: {problems or 'no problems'}")
    if errors:
        click.get_current_context().exit(1)


def _streaming(program: Program, catalog: Catalog, names: Sequence[str], shown: bool) -> list[Diagnostic]:
    """What a stream keeps for the named segments and all that they ask: a table, and a warning for each history."""
    from segdsl.core.program import needed
    from segdsl.stream.costs import costs
    from segdsl.text.render import printable, width

    found = list(costs(needed(program, names), catalog))
    if shown and found:
        rows = [("segment", "test", "keeps of each contact", "about")]
        for cost in found:
            per = {"window": " an event", "history": " an event", "values": " a value"}.get(cost.kept, "")
            size = f"{cost.bytes} bytes{per}"
            words = printable(" ".join(cost.part.words.split()))
            rows.append((cost.owner, words, cost.keeps, size if cost.bytes else ""))
        wide = [max(width(row[column]) for row in rows) for column in range(3)]
        for row in rows:
            cells = [cell + " " * (size - width(cell)) for cell, size in zip(row, wide, strict=False)]
            click.echo("  ".join([*cells, row[3]]).rstrip())
    return [cost.diagnostic for cost in found if cost.kept == "history"]


def _lint(word: str) -> str:
    """The lint of a name or code."""
    from segdsl.text.codes import lints
    from segdsl.text.suggest import nearest

    known = lints()
    for name, code in known.items():
        if word.lower() == name or word.upper() == code:
            return name
    guess = nearest(word, [*known, *known.values()])
    raise Stop(f"no such lint: {word}", f"did you mean {guess}?" if guess else "the lints are " + ", ".join(known))


def _fix(paths: tuple[str, ...], lints: list[str]) -> None:
    """Apply fixes until there are none: one may make room for the next."""
    from segdsl.analysis.linting.fixes import fix
    from segdsl.cli.files import replace_text
    from segdsl.cli.target import load_target
    from segdsl.rule_files import read

    rule = split(paths)[0]
    if rule is not None:
        raise click.UsageError(f"--fix rewrites files, and {rule!r} is neither a file nor a folder")
    fixed: dict[str, int] = {}
    for _ in range(_PASSES):
        loaded = load_target(paths, lints)
        if loaded.catalog is None or loaded.program is None:
            break
        before = sum(fixed.values())
        for source, _tree in loaded.files:
            if source.name not in loaded.asked:
                continue
            text, count = fix(source, loaded.diagnostics, loaded.files, loaded.program, loaded.catalog)
            path = Path(source.name)
            if count and read(path)[0].text == source.text:  # not if somebody has written it in the meantime
                bom = "\ufeff" if path.read_bytes().startswith(b"\xef\xbb\xbf") else ""
                replace_text(path, bom + text)
                fixed[source.name] = fixed.get(source.name, 0) + count
        if sum(fixed.values()) == before:
            break
    for name, count in fixed.items():
        note(f"fixed {many(count, 'finding')} in {name}")
    if not fixed:
        why = "there are errors" if loaded.failed else "no finding has a fix that is proven safe"
        note(f"fixed nothing: {why}")
