"""Every conformance file on every backend."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.support.world import BACKENDS, World, instant, program_of

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
        text = f"segment rule:\n    {case['rule']}\n" if "segments" not in case else case["segments"]
        program = program_of(text, catalog)
        found = BACKENDS[backend](world, catalog, program, instant(str(case["now"])))["rule"]
        if found != sorted(case["in"]):
            wrong.append(f"{case['rule']} at {case['now']}: expected {sorted(case['in'])}, got {found}")
    assert not wrong, "\n".join(wrong)
