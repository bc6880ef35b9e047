"""What every test run needs to know about databases that are expensive to start."""

from __future__ import annotations

import os

import pytest

from segdsl.engines.spark import require_java
from segdsl.text.diagnostic import Errors


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests on Spark run in one worker: a second JVM would take as long to warm up as the tests themselves."""
    asked = [item for item in items if "spark" in item.nodeid.rpartition("[")[2] or "engine_spark" in item.nodeid]
    for item in asked:
        item.add_marker(pytest.mark.xdist_group("spark"))
    if not asked:
        return
    try:
        require_java()
    except Errors as error:
        if os.environ.get("CI"):
            raise pytest.UsageError(f"the tests on Spark need Java: {error}") from error
        for item in asked:
            item.add_marker(pytest.mark.skip(reason=f"no Java: {error}"))
