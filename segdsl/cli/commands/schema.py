"""`segdsl schema`: what editors need to help with segdsl.yml."""

from __future__ import annotations

import json

import click

from segdsl.cli.common import common_options


@click.command("schema")
@common_options
def command() -> None:
    """Print the JSON Schema of segdsl.yml, for editors.

    \b
    Example:
      segdsl schema > segdsl.schema.json
    """
    from segdsl.catalog.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))
