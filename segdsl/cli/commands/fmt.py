"""`segdsl fmt`: rule files in the one layout."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path

import click

from segdsl.cli.common import Stop, common_options, note, show


@click.command("fmt")
@click.argument("paths", nargs=-1)
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 if a file is not formatted.")
@click.option("--diff", is_flag=True, help="Change nothing; print what would change.")
@common_options
def command(paths: tuple[str, ...], check: bool, diff: bool) -> None:
    """Format rule files in place.

    PATHS are .seg files or folders; - reads standard input and writes standard output; without any, the
    project's rule files.

    \b
    Examples:
      segdsl fmt
      segdsl fmt segments/leads.seg --diff
      segdsl fmt --check
      segdsl fmt - < leads.seg
    """
    from segdsl.cli.files import replace_text
    from segdsl.format import format_file
    from segdsl.rule_files import read
    from segdsl.text.diagnostic import Diagnostic
    from segdsl.text.source import Source

    if "-" in paths and len(paths) > 1:
        raise click.UsageError("- stands alone: it reads standard input")
    stdin = paths == ("-",)
    changed = failed = 0
    for path in [None] if stdin else _files(paths):
        if path is None:
            source = Source("<stdin>", _stdin())
            found: list[Diagnostic] = []
        else:
            source, found = read(path)
        text: str | None = None
        if not found:
            text, found = format_file(source)
        show(found)
        if text is None:
            failed += 1
            continue
        before = source.text.encode() if path is None else path.read_bytes()
        different = text.encode() != before
        changed += different
        if diff and different:
            click.echo(_diff(source.name, source.text, text), nl=False)
        elif path is None and not check:
            click.echo(text, nl=False)
        elif path is not None and different and check:
            note(f"not formatted: {source.name}")
        elif path is not None and different:
            replace_text(path, text)
            note(f"formatted {source.name}")
    if failed or (changed and (check or diff)):
        click.get_current_context().exit(1)


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise Stop("standard input is not UTF-8") from None


def _files(paths: tuple[str, ...]) -> list[Path]:
    from segdsl.rule_files import display, project_paths, rule_paths

    if paths:
        given = [Path(path) for path in paths]
        for path in given:
            if not path.exists():
                raise Stop(f"no such file or folder: {path}", "name .seg files or folders of them")
        found_paths = rule_paths(given)
        if not found_paths:
            raise Stop("there are no .seg files in " + ", ".join(map(str, given)), "name a folder that has some")
        return found_paths
    from segdsl.catalog import load
    from segdsl.cli.common import project_file

    catalog, found = load(Path(display(project_file().absolute())))
    if catalog is None:
        show(found)
        click.get_current_context().exit(1)
    return project_paths(catalog)


def _diff(name: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), name, name)
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)
