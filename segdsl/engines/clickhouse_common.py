"""What both ways to ask ClickHouse have in common."""

from __future__ import annotations

import re
import secrets
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress

from segdsl.backends.sql.dialects.clickhouse import ClickHouse as Dialect
from segdsl.catalog import model
from segdsl.engines.engine import Engine, Execute, failure

# What a question needs before its text is read. All that a text itself can say is said there.
SETTINGS = {
    "max_query_size": 2**30,  # bytes: a statement for a thousand segments has millions
    "max_ast_elements": 10**8,
    "max_expanded_ast_elements": 10**8,
}
_TABLES = """
    SELECT if(database = currentDatabase(), name, concat(database, '.', name)) AS title
    FROM system.tables
    WHERE database NOT IN ('system', 'INFORMATION_SCHEMA', 'information_schema')
        AND NOT is_temporary AND NOT startsWith(name, '.inner')
    ORDER BY title
"""
_COLUMNS = """
    SELECT name, type
    FROM system.columns
    WHERE database = if({p1:String} = '', currentDatabase(), {p1:String}) AND table = {p2:String}
        AND default_kind != 'EPHEMERAL'
    ORDER BY position
"""


class ClickHouse(Engine):
    """Questions are found by their `log_comment` when they are to be stopped."""

    dialect = Dialect()
    minds_case = True

    def __init__(self, catalog: model.Catalog, writing: bool = False) -> None:
        super().__init__(catalog)
        self.writes = writing
        self._mark = f"segdsl {secrets.token_hex(8)}"

    @abstractmethod
    def command(self, statement: str, values: Mapping[str, str] | None = None) -> None:
        """Runs a statement without an answer, beside whatever else is running. `values`: as in `rows`.

        An error of the database is raised as the driver has it.
        """

    @abstractmethod
    def session(self) -> AbstractContextManager[Execute]:
        """Statements as `command` runs them, one after the other, which see the temporary tables of those before."""

    @contextmanager
    def writing(self) -> Iterator[Execute]:
        """Without transactions: each statement is there as soon as it was executed. See `Engine`."""
        with self.session() as run:

            def execute(statement: str, values: Mapping[str, str]) -> None:
                try:
                    run(statement, values)
                except Exception as error:
                    help = "the next refresh puts right what was begun"
                    raise failure("SEG0742", f"the database refuses: {reason(error)}", help) from error

            yield execute

    def columns(self, table: str) -> list[tuple[str, str]] | None:
        database, _, name = table.rpartition(".")
        return list(self.rows(_COLUMNS, {"p1": database, "p2": name})) or None

    def tables(self) -> list[str]:
        return [name for (name,) in self.rows(_TABLES, {})]

    def interrupt(self) -> None:
        with suppress(Exception):  # the connection may be gone
            self.command(f"KILL QUERY WHERE Settings['log_comment'] = '{self._mark}'")

    def settings(self) -> dict[str, str | int]:
        """What every question is asked with. `readonly` stands last: it keeps others from being changed."""
        asked: dict[str, str | int] = {**SETTINGS, "log_comment": self._mark}
        return asked if self.writes else {**asked, "readonly": 2}


def reason(error: BaseException) -> str:
    """What an error says, in one line: the database's own words, without the statement that it repeats."""
    said = re.sub(r" \(for url .*\)$", "", " ".join(str(error).split())).rpartition("DB::Exception: ")[2]
    return re.split(r"[:.]? In scope ", said)[0][:500]
