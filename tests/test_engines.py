"""Generated rules over generated histories, on every database: all give the answer that Python gives.

One statement asks many rules of many worlds at once, laid side by side in one set of tables, so that what a database
takes for a statement is paid once for hundreds of cases. `SEGDSL_CASES` says how many cases to run on each.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.support import storage, strategies
from tests.support.databases import DATABASES
from tests.support.world import World, by_python, program_of
from tests.test_agreement import COMMON, NOW, program_text

RULES, WORLDS = 12, 8  # the worlds of one statement: so many on average, half as many at least
CASES = int(os.environ.get("SEGDSL_CASES", "500"))


def side_by_side(worlds: Sequence[dict[str, Any]]) -> World:
    """Many worlds as one, of the first one's zone: what each says of its contacts is said under names of their own."""
    contacts: dict[str, Any] = {}
    tables: dict[str, list[dict[str, Any]]] = {}
    for number, world in enumerate(worlds):
        contacts |= {f"{name}{number}": row for name, row in world["contacts"].items()}
        for table, rows in world["tables"].items():
            if table == "companies":
                tables[table] = rows
                continue
            kept = tables.setdefault(table, [])
            own = ({key: f"{value}{number}" for key, value in row.items() if key in ("id", "alias") and value}
                   for row in rows)  # fmt: skip
            kept += [{**row, **names} for row, names in zip(rows, own, strict=True)]
    return World(strategies.CATALOG.format(zone=worlds[0]["zone"]), contacts, tables)


@pytest.mark.parametrize("form", storage.FORMS)
@pytest.mark.parametrize("name", DATABASES)
def test_a_database_and_python_agree(name: str, form: str) -> None:
    @settings(COMMON, max_examples=max(1, CASES // (RULES * WORLDS * len(storage.FORMS))))
    @given(
        st.lists(strategies.worlds, min_size=WORLDS // 2, max_size=WORLDS * 3 // 2),
        st.lists(strategies.rules, min_size=RULES, max_size=RULES),
    )
    def agree(worlds: list[dict[str, Any]], rules: list[str]) -> None:
        world = side_by_side(worlds)
        with tempfile.TemporaryDirectory() as folder:
            declared = world.catalog(Path(folder))
            program = program_of(program_text(rules), declared)
            expected = by_python(world.as_text() if form == "text" else world, declared, program, NOW)
            stored = storage.load(name, form, world, declared)
            found = {"sql": storage.by_sql(stored, program, NOW)}
            found["reading"] = storage.by_reading(storage.people(stored), program, NOW)
        for way, answers in found.items():
            for index, rule in enumerate(rules):
                if answers[f"r{index}"] != expected[f"r{index}"]:
                    note(f"zone: {worlds[0]['zone']}")
                    odd = sorted(set(answers[f"r{index}"]) ^ set(expected[f"r{index}"]))
                    raise AssertionError(f"{name}, {form}, by {way}: {rule}\n  not agreed: {odd}")

    agree()
