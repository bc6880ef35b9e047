"""Apache Spark: a session of this process, a cluster's master, or Spark Connect.

`spark:local` is this process's own session, started if there is none yet; `spark://host:7077` a cluster's master and
`sc://host:15002` a Spark Connect server. `?path=…` names a folder of Parquet files that are tables, and
`?spark.name=value` a setting for a session that is started. A table whose name has a `/` in it is a path.

One session is started in a process and stays until the process ends: starting one takes seconds. Each engine works in
a copy of it with settings of its own, so that views of the session are seen and its settings stay as they are.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from uuid import uuid4

from segdsl.backends.sql.dialects import spark as dialect
from segdsl.catalog import model
from segdsl.engines.engine import Engine, Row, failure
from segdsl.text.diagnostic import Errors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.types import DataType

OLDEST_JAVA = 17
GET_JAVA = (
    "Debian and Ubuntu: `sudo apt-get install openjdk-17-jre-headless`; macOS: `brew install openjdk@17`, and JAVA_HOME"
    " as it says; Windows: `winget install EclipseAdoptium.Temurin.17.JRE`; Java 21 serves as well"
)
QUIET = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}
# For a Java process of our own: a collector that took two thirds of the default's room for three million rows.
FRUGAL = {"spark.driver.extraJavaOptions": "-XX:+UseParallelGC"}
# A result comes partition by partition, and the driver holds each as a whole. So a sorted result stays in many small
# ones: by default Spark joins them to about as many as there are cores.
PIECES = 2000
STREAMED = {
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "4m",  # compressed: about a million rows of two columns
}
# A name that Spark cannot even read is that of no table.
NOT_FOUND = {"TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "CATALOG_NOT_FOUND", "INVALID_ATTRIBUTE_NAME_SYNTAX"}
SECONDS = 10  # to wait for a master's answer
_starting = Lock()


class Spark(Engine):
    """Spark has no read-only mode; nothing but SELECTs and views of its own session are asked for."""

    dialect = dialect.Spark()

    def __init__(self, catalog: model.Catalog, session: SparkSession | None = None) -> None:
        """session: one that there is already; the catalog's URL then says only where files are."""
        super().__init__(catalog)
        address, _, query = (catalog.database or "").partition("?")
        options = dict(parse_qsl(query))
        self.path = options.pop("path", None)
        wrong = [name for name in options if not name.startswith("spark.")]
        if wrong:
            raise failure("SEG0710", f"`?{wrong[0]}` means nothing to Spark", "`?path=` and settings `?spark.…=` do")
        if session is None:
            with _starting:
                session = _remote(address) if address.startswith("sc://") else _session(address, options)
            _hush()
        self._own = address.startswith("sc://")
        self._tag = f"segdsl-{uuid4()}"  # of its jobs, by which they are stopped
        try:
            self._session = _copy(session)
            for name, value in {**dialect.SETTINGS, **STREAMED}.items():
                self._session.conf.set(name, value)
            pieces = max(PIECES, int(self._session.conf.get("spark.sql.shuffle.partitions") or 0))
            self._session.conf.set("spark.sql.adaptive.coalescePartitions.initialPartitionNum", str(pieces))
            self._find_files()
        except _errors() as error:
            raise said(error) from error

    def close(self) -> None:
        if self._own:
            self._session.stop()

    # --- what there is -------------------------------------------------------------------------------------------

    def _find_files(self) -> None:
        """Tables that are files, as views of the session. What the session has already is no path."""
        for table in self.used:
            places = [table] if "/" in table and self.columns(table) is None else []
            if self.path is not None:
                places += [f"{self.path.rstrip('/')}/{table}{suffix}" for suffix in (".parquet", "")]
            for place in places:
                if self._is_there(place):
                    found = self._session.read.parquet(self._absolute(place))
                    found.createOrReplaceTempView(quoted(table))
                    break

    def _is_there(self, place: str) -> bool:
        from pyspark.errors import AnalysisException

        try:
            self._session.read.parquet(self._absolute(place))
        except AnalysisException as error:
            if condition(error) in {"PATH_NOT_FOUND", "UNABLE_TO_INFER_SCHEMA"}:
                return False
            raise
        return True

    def _absolute(self, place: str) -> str:
        """A path as Spark takes it; a relative one starts from segdsl.yml's folder."""
        return place if re.match(r"[a-z][a-z0-9+.-]*:", place) else str(self.catalog.folder / place)

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        from pyspark.errors import AnalysisException

        name = quoted(table) if "/" in table else ".".join(quoted(part) for part in table.split("."))
        try:
            return [(field.name, spelled(field.dataType)) for field in self._session.table(name).schema.fields]
        except AnalysisException as error:
            if condition(error) in NOT_FOUND:
                return None
            raise said(error) from error
        except _errors() as error:
            raise said(error) from error

    def tables(self) -> list[str]:
        found = {str(row[1]) for row in self.rows("SHOW TABLES", {})}  # beside its namespace
        if self.path is not None and Path(self._absolute(self.path)).is_dir():
            found |= {path.stem for path in Path(self._absolute(self.path)).iterdir()}
        return sorted(found)

    def home(self, table: str) -> str:
        if self.path is None or "/" in table:
            return super().home(table)
        return f"a table is a file or a folder: put {table}.parquet into {self.path}"

    # --- questions -------------------------------------------------------------------------------------------------

    def rows(self, statement: str, values: Mapping[str, str]) -> Iterator[Row]:
        try:
            found = self._session.sql(statement, args=dict(values) or None)
            yield from found.toLocalIterator() if _is_remote(self._session) else _by_arrow(found, self._tag)
        except _errors() as error:
            raise said(error) from error

    def interrupt(self) -> None:
        self._session.interruptAll()  # of this copy; what is found by a tag is found in the thread that set it only
        if not _is_remote(self._session):
            self._session.sparkContext.cancelJobsWithTag(self._tag)


# --- sessions ------------------------------------------------------------------------------------------------------


def own_python() -> None:
    """Functions in Python that a session of ours runs are run by this Python, which has what they import."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)


def _session(address: str, options: Mapping[str, str]) -> SparkSession:
    """This process's session, started if there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pyspark thinks of other packages' versions
        try:
            from pyspark import SparkConf, SparkContext
            from pyspark.sql import SparkSession
        except ImportError:
            raise _missing("pyspark", "segdsl[spark]") from None
        local = re.fullmatch(r"spark:(local(\[[0-9*,]+\])?)", address)
        if local is None and not address.startswith("spark://"):
            raise failure("SEG0710", f"`{address}` names no Spark", "it is `spark:local` or `spark://host:7077`")
        master = address if local is None else "local[*]" if local[1] == "local" else local[1]
        found = SparkSession.getActiveSession() or SparkSession._instantiatedSession
        if found is not None and not found.sparkContext._jsc.sc().isStopped():
            if local is None and found.sparkContext.master != master:
                raise failure("SEG0710", f"this process works with the Spark at `{found.sparkContext.master}` already",
                              "a process has one Spark: ask the other one in another process")  # fmt: skip
            return found
        if local is None:
            _reach(master)
        ours = {**QUIET, **FRUGAL} if local else {}
        settings = {**ours, **options, "spark.master": master, "spark.app.name": "segdsl"}
        conf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
        own_python()
        if SparkContext._gateway is None:
            SparkContext._ensure_initialized(gateway=_java(conf))
        try:
            started = SparkSession.builder.config(conf=conf).getOrCreate()
        except _errors() as error:
            raise said(error) from error
        started.sparkContext.setLogLevel("OFF")  # errors are raised, too
        return started


def _java(conf: Any) -> Any:
    """A Java process for a session; what it prints goes to a file, which is shown only if it does not start."""
    require_java()
    from pyspark.errors import PySparkException
    from pyspark.java_gateway import launch_gateway

    with tempfile.TemporaryFile() as printed:
        try:
            return launch_gateway(conf, {"stdout": printed, "stderr": printed})  # type: ignore[no-untyped-call]
        except PySparkException as error:
            printed.seek(0)
            lines = printed.read().decode("utf-8", "replace").strip().splitlines() or [str(error)]
            raise failure("SEG0719", f"Spark does not start: {lines[-1]}") from error


def require_java() -> None:
    """Raises `Errors` (SEG0718) if there is no Java for Spark: pyspark would say so with a traceback."""
    found = java_version()
    if found is None:
        raise failure("SEG0718", f"Apache Spark needs Java {OLDEST_JAVA} or 21, and there is none here", GET_JAVA)
    if found < OLDEST_JAVA:
        raise failure("SEG0718", f"Apache Spark needs Java {OLDEST_JAVA} or 21, and here is Java {found}", GET_JAVA)


def java_version() -> int | None:
    """The version of the Java that Spark will use; None if there is none."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home, "bin"))) if home else shutil.which("java")
    if java is None:
        return None
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    # `openjdk version "17.0.15"`, once `java version "1.8.0_402"`; macOS has a `java` that only says how to get one
    version = re.search(r'version "(?:1\.)?([0-9]+)', answer.stderr + answer.stdout)
    return int(version[1]) if version and answer.returncode == 0 else None


def _reach(master: str) -> None:
    """Raises `Errors` (SEG0710) where nobody answers: Spark itself would try for minutes."""
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), SECONDS).close()
        except (OSError, ValueError):
            continue
        return
    raise failure("SEG0710", f"no Spark master answers at `{master}`", "is it running, and its port open from here?")


def _remote(address: str) -> SparkSession:
    """A session of its own at a Spark Connect server. What follows its port may hold a token, and is never shown."""
    try:
        from pyspark.sql.connect.session import SparkSession
    except ImportError:
        raise _missing("grpcio", "pyspark[connect]") from None
    host = address.removeprefix("sc://").partition("/")[0]
    try:
        session = SparkSession.builder.remote(address).create()
        session.version  # noqa: B018  (the first question that is sent)
    except _errors() as error:
        raise failure("SEG0710", f"no Spark Connect server answers at `sc://{host}`: {_message(error)}",
                      "is it running, and its port 15002 open from here?") from error  # fmt: skip
    return session  # type: ignore[return-value]


def _hush() -> None:
    """Keeps pyspark from printing errors, with all of Java's calls: they are raised, too."""
    from pyspark.logger import PySparkLogger

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL)


def _is_remote(session: SparkSession) -> bool:
    """Whether it is one of Spark Connect, which sends results as Arrow by itself."""
    return not hasattr(session, "_jsparkSession")


def _by_arrow(found: Any, tag: str) -> Iterator[Row]:
    """The rows of a result, partition by partition, as Arrow, by jobs that have a tag. A result's own `toLocalIterator`
    makes Java objects of a partition's values, which is many times as large, and holds some partitions before it."""
    import pyarrow
    from pyspark import RDD
    from pyspark.serializers import NoOpSerializer
    from pyspark.sql.pandas.types import to_arrow_schema

    context = found.sparkSession.sparkContext
    schema = to_arrow_schema(found.schema, timezone="UTC")
    context.addJobTag(tag)
    try:
        made: RDD[bytes] = RDD(found._jdf.toArrowBatchRdd().toJavaRDD(), context, NoOpSerializer())
        batches = made.toLocalIterator()
    finally:
        context.removeJobTag(tag)
    for batch in batches:
        columns = pyarrow.ipc.read_record_batch(pyarrow.py_buffer(batch), schema).columns
        yield from zip(*(column.to_pylist() for column in columns), strict=True)


def _copy(session: Any) -> Any:
    """A session with the same tables and views and settings of its own."""
    if hasattr(session, "cloneSession"):
        return session.cloneSession()
    return type(session)(session.sparkContext, session._jsparkSession.cloneSession())


# --- words ---------------------------------------------------------------------------------------------------------


def _missing(package: str, wanted: str) -> Errors:
    return failure("SEG0718", f"Apache Spark needs the package `{package}`", f'pip install "{wanted}"')


def _errors() -> tuple[type[Exception], ...]:
    """What Spark raises."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    return (PySparkException, Py4JError)


def condition(error: Any) -> str:
    """The name of an error's kind, `TABLE_OR_VIEW_NOT_FOUND`."""
    return str(error.getCondition() or "").partition(".")[0]


def said(error: Exception) -> Errors:
    """An error of Spark, to be raised."""
    return failure("SEG0719", f"the database says: {_message(error)}")


def _message(error: Any) -> str:
    """What an error says, without Java's calls: the innermost one, which was the first."""
    cause = getattr(error, "java_exception", None)
    while cause is not None and cause.getCause() is not None:
        cause = cause.getCause()
    words = str(error) if cause is None else str(cause.getMessage())
    return words.partition("\n\nJVM stacktrace")[0].partition(";\n")[0].partition("\n== SQL")[0].strip()


def quoted(name: str) -> str:
    """A name as a quoted identifier."""
    return "`" + name.replace("`", "``") + "`"


def spelled(kind: DataType) -> str:
    """A type as SQL spells it; names of fields may be any."""
    from pyspark.sql import types

    if isinstance(kind, types.StructType):
        return f"STRUCT<{', '.join(f'{quoted(field.name)}: {spelled(field.dataType)}' for field in kind.fields)}>"
    if isinstance(kind, types.ArrayType):
        return f"ARRAY<{spelled(kind.elementType)}>"
    if isinstance(kind, types.MapType):
        return f"MAP<{spelled(kind.keyType)}, {spelled(kind.valueType)}>"
    return kind.simpleString().upper()
