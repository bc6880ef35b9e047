"""What every test run needs: ears for Ctrl-C, and care for a database that is expensive to start."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from segdsl.engines.spark import require_java
from segdsl.text.diagnostic import Errors


def pytest_configure() -> None:
    """A shell's background job is deaf to Ctrl-C, and so would be the programs that tests interrupt."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def on_spark(nodeid: str) -> bool:
    """Whether a test needs Spark, by its name: `test_engine_spark.py`, or a parameter that names the database."""
    return "spark" in nodeid.rpartition("[")[2] or "engine_spark" in nodeid


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spark needs Java: without it, its tests fail where nobody would read why they were skipped."""
    asked = [item for item in items if on_spark(item.nodeid)]
    if not asked:
        return
    try:
        require_java()
    except Errors as error:
        if os.environ.get("CI"):
            raise pytest.UsageError(f"the tests on Spark need Java: {error}") from error
        for item in asked:
            item.add_marker(pytest.mark.skip(reason=f"no Java: {error}"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Tests on Spark run in one worker: a second JVM would take as long to warm up as the tests themselves."""
    from xdist.scheduler import LoadScopeScheduling

    class OneSpark(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "spark" if on_spark(nodeid) else nodeid

    return OneSpark(config, log)
