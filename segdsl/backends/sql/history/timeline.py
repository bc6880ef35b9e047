"""Rows of contacts in the order of time: their neighbours, and sums that run on from row to row.

Two ways to ask, with one meaning. Every engine has windows over the rows of one contact. Where sorted rows stay sorted
(`Dialect.keeps_order`) they are sorted once, all contacts one behind the other, and an empty OVER () goes by that
order: queries about queries then need no sort of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select
from segdsl.backends.sql.dialects.dialect import Dialect

CONTACT = "contact"


class Stages:
    """The CTEs of a statement, each about those before it.

    name: gives a query a name like the one that it is given, which no table has.
    """

    def __init__(self, name: Callable[[str], str]) -> None:
        self.name = name
        self.ctes: list[Node] = []

    def stage(self, wanted: str, query: Node) -> Node:
        """A query under a name, to select from."""
        table = self.name(wanted)
        self.ctes.append(b.cte(table, query))
        return b.table(table)


class Timeline:
    """Windows over rows with the column `contact`, one contact at a time."""

    def __init__(self, dialect: Dialect, stages: Stages) -> None:
        self.dialect, self.stages = dialect, stages

    def sorted(self, rows: Node, by: Sequence[str]) -> Node:
        """The rows, ready to be asked for windows in the order of contacts and of some columns."""
        if not self.dialect.keeps_order:
            return rows
        query = exp.Select(expressions=[exp.Star()]).from_(rows, copy=False)
        query.set("order", _by([CONTACT, *by]))
        return self.stages.stage("sorted", query)

    def neighbour(self, column: str, by: Sequence[str], places: int) -> Node:
        """A column of the contact's row so many places behind, or before if negative; NULL if there is none.

        Rows that agree in all of `by` must agree in the column, too: nobody knows which of them comes first.
        """
        if not places:
            return b.column(column)
        if not self.dialect.keeps_order:
            return beside(b.column(column), [CONTACT], by, places)
        kind = exp.Lead if places > 0 else exp.Lag
        far = b.number(abs(places))
        there, owner = (exp.Window(this=kind(this=b.column(name), offset=far.copy())) for name in (column, CONTACT))
        return b.case([(b.compare("=", owner, b.column(CONTACT)), there)])

    def running(self, total: Node, by: str) -> Node:
        """An aggregate of a contact's rows up to one of an instant: a sum, or an exclusive or.

        It is the one up to that instant in the last of the instant's rows; in others it may lack some of them. Rows
        that are sorted once know no end of a contact: what all its rows come to must be 0.
        """
        if self.dialect.keeps_order:
            return exp.Window(this=total, spec=b.so_far())
        return exp.Window(this=total, partition_by=[b.column(CONTACT)], order=_by([by]))


def beside(value: Node, keys: Sequence[str], by: Sequence[str], places: int) -> Node:
    """A value of the row so many places behind, or before if negative, among those that agree in the keys."""
    side = "FOLLOWING" if places > 0 else "PRECEDING"
    far = str(abs(places))
    frame = exp.WindowSpec(kind="ROWS", start=far, start_side=side, end=far, end_side=side)
    return exp.Window(this=exp.Min(this=value), partition_by=[b.column(key) for key in keys], order=_by(by), spec=frame)


def summed_up(column: str, keys: Sequence[str], by: str) -> Node:
    """The sum of a column of small whole numbers up to a row, among rows that agree in the keys; ties in any order."""
    total = exp.Sum(this=b.column(column))
    return exp.Window(this=total, partition_by=[b.column(key) for key in keys], order=_by([by]), spec=b.so_far())


def added_up(stages: Stages, steps: Node) -> Node:
    """`contact, at, step`: the steps of one instant added up, and those that come to nothing left out."""
    names = [CONTACT, "at"]
    nothing = exp.NEQ(this=b.column("step"), expression=b.number(0))
    query = select([*((name, b.column(name)) for name in names), ("step", exp.Sum(this=b.column("step")))],
                   stages.stage("steps", steps), [nothing])  # fmt: skip
    query = query.group_by(*(b.column(name) for name in names), copy=False)
    return select([(name, b.column(name)) for name in (*names, "step")], stages.stage("added", query), [nothing.copy()])


def _by(names: Sequence[str]) -> Node:
    return b.order(map(b.column, names))
