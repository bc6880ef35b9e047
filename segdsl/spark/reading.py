"""Lines on their way to their contacts: read far enough to know whose each is, and of when."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pyarrow

from segdsl.backends.python.fit import fit
from segdsl.stream.reading import parse
from segdsl.types import Timestamp

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

NOBODY = ""  # whose lines that are no contact's are; no key of a contact is written like that
# contact: as JSON, so that "17" and 17 are two. at: the line's own, in microseconds. time: as far as it moves the
# watermark. place: among lines of one instant.
COLUMNS = "contact STRING, value STRING, at BIGINT, place BIGINT, time TIMESTAMP"


def keyed(df: DataFrame) -> DataFrame:
    """The lines of a stream, each with its contact and its time; nothing is left out."""
    place = "CAST(offset AS BIGINT)" if "offset" in df.columns else "CAST(NULL AS BIGINT)"
    lines = df.selectExpr("value", f"{place} AS place", "unix_micros(current_timestamp()) AS now")
    return lines.mapInArrow(_keyed, COLUMNS)


def _keyed(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
    for batch in batches:
        values, places = batch.column("value"), batch.column("place")
        now = batch.column("now")[0].as_py() if batch.num_rows else 0
        found = [whose(text) for text in values.to_pylist()]
        # News of the future does not move the watermark: a wrong date must not make all others late.
        times = [0 if at is None or (at > now and contact != NOBODY) else at for contact, at in found]
        yield pyarrow.RecordBatch.from_arrays(
            [
                pyarrow.array([contact for contact, _ in found], pyarrow.string()), values,
                pyarrow.array([at for _, at in found], pyarrow.int64()), places,
                pyarrow.array(times, pyarrow.timestamp("us", "UTC")),
            ],
            ["contact", "value", "at", "place", "time"],
        )  # fmt: skip


def whose(text: str | None) -> tuple[str, int | None]:
    """The contact of a line, as JSON, and its instant in microseconds since 1970 (UTC), if it says one."""
    try:
        fields = parse(text or "")
    except ValueError:
        return NOBODY, None
    at = fit(fields.get("at"), Timestamp(), "UTC")
    contact = fields.get("contact")
    known = isinstance(contact, str | int) and not isinstance(contact, bool)
    if not known and len(fields) > 1:  # no news, nor the time
        at = None
    return json.dumps(contact) if known else NOBODY, at if isinstance(at, int) else None
