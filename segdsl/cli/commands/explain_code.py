"""`segdsl explain-code`: the page of a diagnostic's code."""

from __future__ import annotations

import click

from segdsl.cli.common import Stop, common_options


@click.command("explain-code")
@click.argument("code")
@common_options
def command(code: str) -> None:
    """Explain a diagnostic's code, with a wrong and a right example.

    \b
    Example:
      segdsl explain-code SEG0203
    """
    from segdsl.text.codes import known, page
    from segdsl.text.suggest import nearest

    text = page(code)
    if text is None:
        guess = nearest(code, known())
        raise Stop(f"no such code: {code}", f"did you mean {guess}?" if guess else "")
    click.echo(text.rstrip("\n"))
