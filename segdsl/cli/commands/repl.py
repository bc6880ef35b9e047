"""`segdsl repl`: try rules, see members."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from segdsl.cli.common import colored, common_options, instant, note, now_option, project_file, show


@click.command("repl")
@now_option
@common_options
def command(now: str | None) -> None:
    """Try rules against the project's data: type one, see how many are in, some of them, and the time it took.

    Tab completes names, values and keywords; `.help` lists the prompt's own commands. In a pipe, each line is a rule
    (a line that cannot be the end goes on), answers are plain text, and the exit code is 1 if a rule had errors.

    \b
    Examples:
      segdsl repl
      segdsl repl --now 2026-03-09
      echo 'visited "/pricing" >= 3 in 30d' | segdsl repl
    """
    from segdsl.catalog import load
    from segdsl.repl.session import Session
    from segdsl.repl.show import Screen
    from segdsl.rule_files import compile_paths, display, project_paths

    catalog, found = load(Path(display(project_file().absolute())))
    show(found)
    if catalog is None:
        click.get_current_context().exit(1)
    compiled = compile_paths(catalog, project_paths(catalog))
    errors = sum(diagnostic.severity == "error" for diagnostic in compiled.diagnostics)
    if errors:
        word = "an error" if errors == 1 else f"{errors} errors"
        note(f"the project's rule files have {word}: `segdsl check` shows what is wrong")
    session = Session(catalog, compiled.files, None if now is None else instant(now, catalog))
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    try:
        if terminal:
            from segdsl.repl.terminal import run_terminal

            code = run_terminal(session, Screen(terminal=True, color=colored(sys.stdout)))
        else:
            from segdsl.repl.pipe import run_pipe

            sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
            code = run_pipe(session, sys.stdin, Screen(terminal=False, color=colored(sys.stderr)))
    finally:
        session.close()
    click.get_current_context().exit(code)
