"""Every conformance file on every backend."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support import storage
from tests.support.databases import DATABASES
from tests.support.world import BACKENDS, World, by_python, instant, program_of

FILES = sorted((Path(__file__).parent / "conformance").glob("*.yml"))


def test_there_are_files() -> None:
    assert FILES


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_conformance(path: Path, backend: str, tmp_path: Path) -> None:
    # BaseLoader: a conformance file's scalars are text unless the JSON of a row says otherwise
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    world = World(data["catalog"], data.get("contacts") or {}, data.get("events") or {})
    catalog = world.catalog(tmp_path)
    wrong = []
    for case in data["cases"]:
        program = program_of(f"segment rule:\n    {case['rule']}\n", catalog)
        found = BACKENDS[backend](world, catalog, program, instant(str(case["now"])))["rule"]
        if found != sorted(case["in"]):
            wrong.append(f"{case['rule']} at {case['now']}: expected {sorted(case['in'])}, got {found}")
    assert not wrong, "\n".join(wrong)


def stored() -> Iterator[Any]:
    """A file, a database and a form of storage; Spark, which takes long, has each file in one of them."""
    for number, path in enumerate(FILES):
        for name in DATABASES:
            forms = list(storage.FORMS)
            for form in forms if name != "spark" or "SEGDSL_CASES" in os.environ else [forms[number % len(forms)]]:
                yield pytest.param(path, name, form, id=f"{path.stem}-{name}-{form}")


@pytest.mark.parametrize(("path", "name", "form"), stored())
def test_conformance_of_databases(path: Path, name: str, form: str, tmp_path: Path) -> None:
    """In every form of storage, by SQL and by reading; texts are what Python makes of texts. `SEGDSL_CASES` is set: in
    every form on every database."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    world = World(data["catalog"], data.get("contacts") or {}, data.get("events") or {})
    declared = world.catalog(tmp_path)
    catalog = storage.load(name, form, world, declared)
    people = storage.people(catalog)
    wrong = []
    for now, cases in by_now(data["cases"]).items():
        text = "".join(f"segment case_{i}:\n    {case['rule']}\n" for i, case in enumerate(cases))
        program = program_of(text, declared)
        expected = {f"case_{i}": sorted(case["in"]) for i, case in enumerate(cases)}
        if form == "text":
            expected = by_python(world.as_text(), declared, program, now)
        found = {"sql": storage.by_sql(catalog, program, now), "reading": storage.by_reading(people, program, now)}
        wrong += [
            f"{way}: {case['rule']} at {case['now']}: expected {expected[f'case_{i}']}, got {answers[f'case_{i}']}"
            for way, answers in found.items() for i, case in enumerate(cases)
            if answers[f"case_{i}"] != expected[f"case_{i}"]
        ]  # fmt: skip
    assert not wrong, "\n".join(wrong)


def by_now(cases: list[dict[str, Any]]) -> dict[int, list[dict[str, Any]]]:
    """The cases of each instant: one statement asks them all."""
    found: dict[int, list[dict[str, Any]]] = {}
    for case in cases:
        found.setdefault(instant(str(case["now"])), []).append(case)
    return found
