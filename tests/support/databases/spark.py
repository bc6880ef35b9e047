"""Apache Spark: a session in this process, small and set for many tiny statements."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pyarrow

from segdsl.engines.spark import QUIET, _java, own_python, quoted
from tests.support.databases import Table

# Of a statement over a few rows nearly all the time is planning and making code for it.
TINY = {
    "spark.master": "local[1]",
    "spark.driver.memory": "3g",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -Xmn1g",
    "spark.buffer.pageSize": "64k",  # every sort and every hash table takes one, and clears it: 64 MB by default
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.broadcastExchange.maxThreadThreshold": "2",  # each thread keeps the session alive that first used it
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.sql.constraintPropagation.enabled": "false",
    "spark.sql.variable.substitute": "false",  # a name of a column may be like a variable
    "spark.python.authenticate.socketTimeout": "5m",  # a busy machine starts Python slowly
    "spark.sql.ui.explainMode": "simple",
    "spark.sql.ui.retainedExecutions": "1",
    "spark.ui.retainedJobs": "1",
    "spark.ui.retainedStages": "1",
    "spark.ui.retainedTasks": "1",
    "spark.ui.dagGraph.retainedRootRDDs": "1",
}


class SparkDatabase:
    """The process's own session; tables are views of data that its plans hold."""

    def __init__(self) -> None:
        from pyspark import SparkConf, SparkContext
        from pyspark.sql import SparkSession

        self.folder = Path(tempfile.mkdtemp(prefix="segdsl-"))
        homes = {"spark.sql.warehouse.dir": str(self.folder), "spark.local.dir": str(self.folder)}
        conf = SparkConf(loadDefaults=False).setAll(list({**QUIET, **TINY, **homes}.items()))
        own_python()
        SparkContext._ensure_initialized(gateway=_java(conf))
        self.session = SparkSession.builder.config(conf=conf).getOrCreate()
        self.session.sparkContext.setLogLevel("OFF")
        self.url = "spark:local"

    def load(self, tables: Mapping[str, Table]) -> None:
        for name, table in tables.items():
            columns = [(f"c{i}", kind, as_text(kind)) for i, kind in enumerate(table.columns.values())]
            cells = {c: pyarrow.array([plain(row[i], kind) for row in table.rows], kind)
                     for i, (c, _, kind) in enumerate(columns)}  # fmt: skip
            casts = [f"CAST({c} AS {kind}) AS {quoted(column)}"
                     for column, (c, kind, _) in zip(table.columns, columns, strict=True)]  # fmt: skip
            texts = self.session.createDataFrame(pyarrow.table(cells))
            texts.selectExpr(*casts).coalesce(1).createOrReplaceTempView(quoted(name))

    def close(self) -> None:
        self.session.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def as_text(physical: str) -> pyarrow.DataType:
    """How values of a column come to Spark, which casts them."""
    return pyarrow.list_(pyarrow.string()) if physical.upper() == "ARRAY<STRING>" else pyarrow.string()


def plain(value: object, kind: pyarrow.DataType) -> object:
    if value is None or kind != pyarrow.string():
        return value
    return json.dumps(value) if isinstance(value, bool) else value if isinstance(value, str) else str(value)
