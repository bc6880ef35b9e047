"""What the commands share: options, arguments, time, and how to show diagnostics."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from segdsl.catalog.model import Catalog
    from segdsl.text.diagnostic import Diagnostic

F = TypeVar("F", bound=Callable[..., Any])
_PROJECT = "segdsl.project"
_COLOR = "segdsl.color"
_SHOWN = 8  # names in a message


class Stop(click.ClickException):
    """Ends the command because of its usage or environment: exit code 2, one message."""

    exit_code = 2

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help

    def show(self, file: IO[Any] | None = None) -> None:
        from segdsl.text.render import printable

        lines = [printable(line) for line in self.message.split("\n")]
        click.echo("error: " + "\n  ".join(lines), file=file, err=file is None)
        if self.help:
            click.echo(f"  help: {self.help}", file=file, err=file is None)


def _remember(key: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value is not None:
            ctx.meta[key] = value

    return callback


def common_options(function: F) -> F:
    """`--project` and `--color`, which may stand before the command or behind it."""
    function = click.option(
        "--color/--no-color",
        default=None,
        expose_value=False,
        callback=_remember(_COLOR),
        help="Colours, or none; by default on a terminal, unless NO_COLOR is set.",
    )(function)
    return click.option(
        "--project",
        metavar="FILE",
        type=click.Path(path_type=Path),
        expose_value=False,
        callback=_remember(_PROJECT),
        help="The project file; by default segdsl.yml here or in a folder above.",
    )(function)


def now_option(function: F) -> F:
    """`--now`, whose text `instant` reads."""
    words = "The time to ask about: 2026-03-09 (its midnight in UTC) or 2026-03-09T08:00 (in the project's time zone)"
    return click.option("--now", metavar="T", help=f"{words}; else now.")(function)


def named_project() -> Path | None:
    """The project file that `--project` names, if it was given."""
    given: Path | None = click.get_current_context().meta.get(_PROJECT)
    if given is None:
        return None
    if given.is_dir():
        given = given / "segdsl.yml"
    if not given.is_file():
        raise Stop(f"no such project file: {given}")
    return given


def project_file(paths: Sequence[Path] = ()) -> Path:
    """The project file to use: `--project`, or found from the first path or the current folder upwards."""
    given = named_project()
    if given is not None:
        return given
    from segdsl.catalog import find

    start = Path.cwd()
    if paths:
        first = paths[0].resolve()
        start = first if first.is_dir() else first.parent
    found = find(start) or find(Path.cwd())
    if found is None:
        raise Stop("no segdsl.yml in this folder or above it", "write one, or name one with --project FILE")
    return found


def one_project(paths: Sequence[Path], project: Path) -> None:
    """Ends the command if a rule file lies in another project: the names of this one are not its own."""
    if named_project() is not None:
        return
    from segdsl.catalog import find

    for path in paths:
        own = find(path.resolve().parent)
        if own is not None and own.resolve() != project.resolve():
            raise Stop(
                f"these rules belong to two projects: {path} has its own {own.name}",
                f"name the files of one project at a time, or say which is meant: --project {project.name}",
            )


def by_project(arguments: Sequence[str]) -> dict[Path, list[Path]]:
    """The rule files that arguments name by their project: `--project`, or the nearest segdsl.yml above each file.

    Without arguments: the project to use, and no files, which means all of its own.
    """
    from segdsl.catalog import find
    from segdsl.rule_files import rule_paths

    if not arguments:
        return {project_file(): []}
    for argument in arguments:
        if not (is_path(argument) and Path(argument).exists()):
            raise Stop(f"no such file or folder: {argument or repr(argument)}", "name .seg files or folders of them")
    paths = [Path(argument) for argument in arguments]
    found: dict[Path, list[Path]] = {}
    given = named_project()
    for path in rule_paths(paths):
        project = given or find(path.resolve().parent) or find(Path.cwd())
        if project is None:
            raise Stop(f"no segdsl.yml above {path}", "write one, or name one with --project FILE")
        found.setdefault(project, []).append(path)
    if not found:
        raise Stop("there are no .seg files in " + ", ".join(map(str, paths)), "name a folder that has some")
    return found


def colored(stream: IO[Any]) -> bool:
    """Whether to colour what goes to a stream."""
    asked: bool | None = click.get_current_context().meta.get(_COLOR)
    if asked is not None:
        return asked
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def show(diagnostics: Iterable[Diagnostic]) -> None:
    """Diagnostics for people, on standard error, as far apart as paragraphs."""
    from segdsl.text.render import render

    text = render(diagnostics, "human", color=colored(sys.stderr))
    if text:
        # Colours were decided above: click must not strip them when standard error is a pipe.
        click.echo(text, err=True, color=True)


def note(text: str) -> None:
    """A line of summary, on standard error."""
    click.echo(text, err=True)


def is_path(argument: str) -> bool:
    """Whether an argument is a path: it exists or ends with `.seg`. Anything else is a rule's text."""
    if argument.endswith(".seg"):
        return True
    try:
        return bool(argument) and Path(argument).exists()  # an empty argument is an empty rule, not this folder
    except (OSError, ValueError):  # a rule may be longer than a name can be
        return False


def no_segment(name: str, known: Sequence[str], where: str = "") -> Stop:
    """The end of a command that was asked for a segment that is not among the `known` ones."""
    from segdsl.text.suggest import nearest

    guess = nearest(name, known)
    some = ", ".join(known[:_SHOWN]) + (f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else "")
    help = f"did you mean {guess}?" if guess else f"the segments are {some}" if known else "there are none here"
    return Stop(f"no such segment{where}: {name}", help)


def split(arguments: Sequence[str]) -> tuple[str | None, list[Path]]:
    """Arguments as one rule or as paths that exist."""
    rules = [argument for argument in arguments if not is_path(argument)]
    paths = [Path(argument) for argument in arguments if is_path(argument)]
    if len(rules) > 1:
        raise click.UsageError("give one rule, in quotes, or paths of .seg files")
    if rules and paths:
        raise click.UsageError(f"give a rule or paths, not both: {rules[0]!r} is not a path")
    for path in paths:
        if not path.exists():
            raise Stop(f"no such file or folder: {path}", "name .seg files or folders, or give a rule in quotes")
    return (rules[0] if rules else None), paths


def instant(text: str | None, catalog: Catalog, option: str = "--now") -> int:
    """The instant that an option names: a day is its midnight in UTC, a clock time without offset is the project's."""
    from segdsl.core import time

    if text is None:
        return time.now()
    found = time.parse_moment(text, catalog.timezone)
    if found is None:
        help = f"write {option} 2026-03-09, its midnight in UTC, or {option} 2026-03-09T08:00:00Z"
        raise Stop(f"not a time: {text.strip()}", help)
    return found
