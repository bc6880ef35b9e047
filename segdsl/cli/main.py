"""The command `segdsl`: finds the subcommand's file, and turns every way of ending into an exit code.

0: fine. 1: findings. 2: usage or environment. 130: interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click

from segdsl.cli.common import Stop, common_options

# What each command does, here so that `--help` need not import the commands. Each is a file in `commands`.
COMMANDS = {
    "check": "Check the project file and rules: names, types and lints.",
    "fmt": "Format rule files.",
    "test": "Run the test blocks of rule files.",
    "sql": "Print the SQL of a rule or of segments.",
    "run": "Print the members of segments, or of one rule.",
    "history": "Tell from when until when contacts were in, or draw how segments grew.",
    "diff": "Compare two versions of the rules: who enters, who leaves.",
    "plan": "Show what a refresh of the stored membership would change.",
    "apply": "Store who is in each segment, and log who entered and who left.",
    "snapshot": "Keep a segment's members on a static list.",
    "follow": "Tell who enters and who leaves, as events come in and time passes.",
    "repl": "Try rules against the project's data, in a prompt.",
    "explain": "Tell why a contact is in a segment or not, and until when.",
    "schema": "Print the JSON Schema of segdsl.yml, for editors.",
    "explain-code": "Explain a diagnostic's code, with a wrong and a right example.",
}


class Closed(Exception):  # noqa: N818  (not an error)
    """Whoever read standard output has enough; click would make a failure of a BrokenPipeError."""


class LazyGroup(click.Group):
    """A group that imports a command's file only when that command is asked for."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise Closed from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"segdsl.cli.commands.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from segdsl.text.suggest import nearest

            guess = nearest(args[0], COMMANDS)
            hint = f" Did you mean {guess!r}?" if guess else ""
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"segdsl {version('segdsl')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@common_options
def cli() -> None:
    """Groups of contacts, described by what they do.

    \b
    Examples:
      segdsl check
      segdsl run 'visited "/pricing" >= 3 in 30d'
      segdsl test --coverage
      segdsl sql segments/leads.seg --dialect postgres
      segdsl COMMAND --help
    """


def run(args: Sequence[str]) -> int:
    """Run one command line and give its exit code; nothing that happens ends in a traceback."""
    try:
        code = cli.main(list(args), prog_name="segdsl", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as exit:
        return exit.exit_code
    except (KeyboardInterrupt, click.Abort):
        return 130
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except (BrokenPipeError, Closed):
        # Python would complain when it flushes the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as problem:
        return _failed(problem)


def _failed(problem: Exception) -> int:
    from segdsl.cli.problems import environment
    from segdsl.text.diagnostic import Errors

    if isinstance(problem, Errors):
        from segdsl.text.render import render

        click.echo(render(problem.diagnostics), err=True)
        # What the database has to say is the environment's.
        return 2 if any(found.code.startswith("SEG07") for found in problem.diagnostics) else 1
    if os.environ.get("SEGDSL_DEBUG"):
        raise problem
    message = environment(problem)
    if message is not None:
        Stop(message).show()
        return 2
    text = " ".join(str(problem).split())
    click.echo(
        f"error: this is a bug in segdsl ({type(problem).__name__}: {text[:300]})\n"
        "  help: please report it with the rule that shows it; SEGDSL_DEBUG=1 prints the details",
        err=True,
    )
    return 2


def _open_closed_streams() -> None:
    """A stream that the caller closed (`>&-`) is None in Python: put the null device in its place."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  (open to the end)


def main() -> None:
    """The entry point of the `segdsl` script."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a file name may hold what the terminal cannot show
    sys.exit(run(sys.argv[1:]))
