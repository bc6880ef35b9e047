"""Who may import whom: each layer imports only from itself and from those before it (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "segdsl"
LAYERS = [
    "text", "types", "syntax", "catalog", "core", "criteria", "check", "backends", "analysis", "format", "contact",
    "engines", "history", "warehouse", "stream", "pipeline", "rule_files", "rule", "database", "project",
    "spark", "repl", "cli",
]  # fmt: skip
# The package's own two files stand above every layer.
TOP = {"__init__", "__main__"}
FILES = sorted(path for path in PACKAGE.rglob("*.py"))


def layer(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            # `from segdsl import types` names a layer in its second half
            yield from (f"{module}.{alias.name}" for alias in node.names) if module == "segdsl" else [module]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_point_backwards(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own in TOP:
        return
    assert own in LAYERS, f"{own} has no place in the order of layers"
    for module in imported(path):
        if module == "segdsl" or module.startswith("segdsl."):
            assert layer(module) in LAYERS, f"{path.name} imports {module}"
            assert LAYERS.index(layer(module)) <= LAYERS.index(own), f"{own} must not import {module}"
