"""The catalog against the live database: what `check --db` finds. One file for each question."""

from __future__ import annotations

from segdsl.catalog.model import Catalog
from segdsl.core.program import Program
from segdsl.engines.checks.epochs import wrong_units
from segdsl.engines.checks.keys import wrong_keys
from segdsl.engines.checks.lists import empty_lists
from segdsl.engines.checks.schema import misleading
from segdsl.engines.checks.values import unfit_values
from segdsl.engines.declared import everything
from segdsl.engines.engine import Engine
from segdsl.engines.fitting import hopeless, unfit
from segdsl.text.diagnostic import Diagnostic


def check_database(catalog: Catalog, program: Program | None, engine: Engine) -> list[Diagnostic]:
    """Missing tables and columns, types that cannot hold what is declared or mislead, and errors of the data.

    Looks at each table a few times, with aggregates alone.

    program: the rules (None: there are errors in them), whose static lists should have members.
    """
    found = engine.missing()
    if found:
        return found
    declared = everything(catalog)
    reading = engine.reading()
    found += unfit(reading, declared, engine.ask)
    found += misleading(reading, declared)
    found += wrong_keys(engine)
    units = wrong_units(engine, declared)
    found += {finding.message: finding for finding in reversed(units.values())}.values()  # several events share one
    # What is said once need not be said again as values that do not fit.
    found += unfit_values(engine, [each for each in declared if each not in units and not hopeless(reading, each)])
    found += empty_lists(program, engine) if program else []
    return found
