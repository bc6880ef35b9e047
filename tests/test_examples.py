"""The example projects are right, run on both backends alike, and their segments say something."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NOW = {"grocer": "2018-01-01T05:00:00Z", "saas": "2026-03-31T09:00:00Z"}
CONTACTS = {"grocer": 300, "saas": 200}


@cache
def segdsl(example: str, *args: str) -> subprocess.CompletedProcess[str]:
    """One run of the command line, as a user would type it in the example's folder."""
    command = [sys.executable, "-c", "from segdsl.cli.main import main; main()", *args]
    folder = ROOT / "examples" / example
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def members(example: str, backend: str) -> str:
    done = segdsl(example, "run", "--now", NOW[example], "--backend", backend, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("example", NOW)
def test_checks_clean(example: str) -> None:
    done = segdsl(example, "check", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "error" not in done.stdout


@pytest.mark.parametrize("example", NOW)
def test_is_formatted(example: str) -> None:
    done = segdsl(example, "fmt", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("example", NOW)
def test_every_segment_has_tests_and_they_cover_the_rules(example: str) -> None:
    done = segdsl(example, "test", "--coverage", "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    [coverage] = json.loads(done.stdout)["coverage"]["projects"]
    assert (coverage["untested"], coverage["percent"]) == ([], 100)


def test_tests_of_both_examples_run_from_above() -> None:
    done = segdsl(".", "test", ".")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failed" in done.stderr


@pytest.mark.parametrize("example", NOW)
def test_backends_agree(example: str) -> None:
    assert members(example, "sql") == members(example, "python")


@pytest.mark.parametrize("example", NOW)
def test_segments_are_neither_empty_nor_everyone(example: str) -> None:
    sizes = Counter(json.loads(line)["segment"] for line in members(example, "sql").splitlines())
    files = (ROOT / "examples" / example / "segments").glob("*.seg")
    lines = (line for file in files for line in file.read_text(encoding="utf-8").splitlines())
    named = {line.split()[1].rstrip(":") for line in lines if line.startswith("segment ")}
    assert {name: sizes[name] for name in named if not 0 < sizes[name] < CONTACTS[example]} == {}


def test_synthetic_data_is_reproducible(tmp_path: Path) -> None:
    folder = ROOT / "examples" / "saas"
    shutil.copy(folder / "make_data.py", tmp_path)
    subprocess.run([sys.executable, "make_data.py"], cwd=tmp_path, check=True, capture_output=True)
    for made in sorted((tmp_path / "data").iterdir()):
        assert made.read_bytes() == (folder / "data" / made.name).read_bytes(), made.name
