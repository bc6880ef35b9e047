"""Who enters and who leaves, on a cluster: the stream evaluator inside Spark Structured Streaming.

    from segdsl.spark import follow

    changes = follow(spark.readStream.text("events"), segdsl.load("segdsl.yml"))
    changes.writeStream.option("checkpointLocation", "checkpoint").toTable("changes")

Every Python worker of the cluster needs segdsl. See docs/spark.md.
"""

from __future__ import annotations

import pickle
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING

from segdsl.project import Project
from segdsl.text.diagnostic import Diagnostic, Errors

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

PROVIDER = "spark.sql.streaming.stateStore.providerClass"
ROCKSDB = "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"


def follow(df: DataFrame, project: Project, delay: str = "1 minute") -> DataFrame:
    """Who enters and who leaves the project's segments, for a stream of lines.

    df: a streaming DataFrame whose column `value` (STRING) holds one JSON line a row, as docs/follow.md tells. A column
      `offset`, such as Kafka's, decides between lines of one contact and one instant.
    delay: how far behind the latest line of all a line may be and still be in time, as Spark writes durations.

    Returns a streaming DataFrame, a row for each change: `at` (TIMESTAMP, when that became true), `segment`, `contact`,
    `change` (`entered` or `left`), all STRING. A line that cannot be read makes a row whose `change` is `refused`, with
    the line in `line` and why in `reason`.
    Raises `segdsl.Errors`: SEG0750 for another kind of DataFrame, SEG0751 for missing packages, SEG0752 for a session
    that keeps its state in memory, SEG0753 for a `delay` that is none.
    """
    _require_packages()
    _require_lines(df)
    _require_store(df)
    from segdsl.spark.processor import COLUMNS, Processor
    from segdsl.spark.reading import keyed

    rules = pickle.dumps((replace(project.catalog, database=None), project.program))  # a URL may hold a password
    lines = keyed(df)
    try:
        timed = lines.withWatermark("time", delay)
        timed.schema  # noqa: B018  (Spark Connect looks at it only now)
    except Exception as error:
        help = 'write a number and a unit, such as `delay="10 minutes"`'
        raise _failure("SEG0753", f"`{delay}` is no duration that Spark can read", help) from error
    # Without the column of the watermark: Spark would drop lines that are behind it, and tell nobody.
    news = timed.select("contact", "value", "at", "place").groupBy("contact")
    found = news.transformWithState(Processor(rules), COLUMNS, "Append", "EventTime")
    return found.selectExpr("timestamp_micros(at) AS at", "segment", "contact", "change", "line", "reason")


def _require_packages() -> None:
    missing = [name for name in ("pyspark", "pandas", "pyarrow", "google.protobuf") if not _is_there(name)]
    if missing:
        raise _failure("SEG0751", f"Spark's streams need the package `{missing[0]}`", 'pip install "segdsl[spark]"')
    from pyspark import __version__
    from pyspark.sql import GroupedData

    if not hasattr(GroupedData, "transformWithState"):
        message = f"following needs Spark 4.1 or later, and this is {__version__}"
        raise _failure("SEG0751", message, 'pip install "pyspark>=4.1", and a cluster of that version')


def _is_there(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # what it is in is not there
        return False


def _require_lines(df: DataFrame) -> None:
    if not df.isStreaming:
        raise _failure("SEG0750", "this DataFrame is no stream", "make it with `spark.readStream` instead of `read`")
    kinds = {field.name: field.dataType.simpleString() for field in df.schema.fields}
    if kinds.get("value") == "string":
        return
    if "value" in kinds:
        help = 'df.withColumn("value", df["value"].cast("string"))'
        raise _failure("SEG0750", f"the column `value` is no text, but {kinds['value']}", help)
    help = 'one JSON line a row: df.selectExpr("CAST(… AS STRING) AS value"); docs/spark.md has examples'
    raise _failure("SEG0750", f"the stream has no column `value`, only {', '.join(kinds) or 'none at all'}", help)


def _require_store(df: DataFrame) -> None:
    kind = str(df.sparkSession.conf.get(PROVIDER))
    if not kind.rpartition(".")[2].startswith("RocksDB"):
        message = "the session keeps the state of streams in memory, where following has no timers"
        raise _failure("SEG0752", message, f'spark.conf.set("{PROVIDER}", "{ROCKSDB}")')


def _failure(code: str, message: str, help: str) -> Errors:
    return Errors([Diagnostic(code, message, help=help)])
