"""What rows are told of other rows of the same contact: the latest one before each, or the next one behind it.

Two ways to ask, with one meaning. `by_windows` lays both kinds of rows together, sorted by time, and takes running
maxima: every engine can do that. `by_asof` is for engines that join each row with its neighbour in time by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from segdsl.backends.sql import build as b
from segdsl.backends.sql.build import Node, select


@dataclass(frozen=True)
class Look:
    """What each row is told of the rows of a source: of the latest before it (or `ahead`: of the first behind it).

    source: a query with `contact`, the group's columns and `t`.
    take: output name -> column of the source, an instant that never grows less from one row to a later one;
      NULL if there is no such row.
    or_same: a row at the very same instant counts. required: rows that are told nothing are dropped.
    """

    source: Node
    take: Mapping[str, str]
    ahead: bool = False
    or_same: bool = False
    required: bool = False


# (rows, keys, carried, looks, unknown): a query of the rows' keys (`contact`, the group, `t`), the carried columns, and
# what the looks tell. `looks` is not empty. `unknown` is NULL as an instant.
Lookup = Callable[[Node, Sequence[str], Sequence[str], Sequence[Look], Node], Node]


def by_asof(rows: Node, keys: Sequence[str], carried: Sequence[str], looks: Sequence[Look], unknown: Node) -> Node:
    """One ASOF JOIN for each look."""
    columns = [(name, b.column(name, "event")) for name in (*keys, *carried)]
    aliases = [next(iter(look.take)) for look in looks]
    for look, alias in zip(looks, aliases, strict=True):
        columns += [(name, b.column(column, alias)) for name, column in look.take.items()]
    query = select(columns, rows.subquery("event"))
    for look, alias in zip(looks, aliases, strict=True):
        same = [b.compare("=", b.column(key, alias), b.column(key, "event")) for key in keys if key != "t"]
        op = {(False, False): exp.GT, (False, True): exp.GTE, (True, False): exp.LT, (True, True): exp.LTE}
        order = op[look.ahead, look.or_same](this=b.column("t", "event"), expression=b.column("t", alias))
        query.append("joins", exp.Join(
            this=look.source.subquery(alias), method="ASOF", side=None if look.required else "LEFT",
            on=b.conjunction([*same, order]),
        ))  # fmt: skip
    return query


def by_windows(rows: Node, keys: Sequence[str], carried: Sequence[str], looks: Sequence[Look], unknown: Node) -> Node:
    """One sort for all looks; only a ROWS frame is needed."""
    outputs = [name for look in looks for name in look.take]

    def part(source: Node, place: int, own: Mapping[str, Node]) -> Node:
        columns = [*((key, b.column(key)) for key in keys), ("place", b.number(place))]
        columns += [(name, own.get(name, unknown.copy())) for name in (*carried, *(f"{n}_of" for n in outputs))]
        return select(columns, source.subquery("events"))

    parts = [part(rows, 0, {name: b.column(name) for name in carried})]
    for look in looks:
        # Among rows of one instant, those that a row at 0 is not to see stand on the side it does not look at.
        place = -1 if look.ahead != look.or_same else 1
        parts.append(part(look.source, place, {f"{n}_of": b.column(column) for n, column in look.take.items()}))
    columns = [(name, b.column(name)) for name in (*keys, "place", *carried)]
    for look in looks:
        columns += [(name, _running(look, f"{name}_of", [key for key in keys if key != "t"])) for name in look.take]
    among = select(columns, b.united(parts).subquery("among"))
    conditions = [b.compare("=", b.column("place"), b.number(0))]
    conditions += [b.known(b.column(next(iter(look.take)))) for look in looks if look.required]
    every = [(name, b.column(name)) for name in (*keys, *carried, *outputs)]
    return select(every, among.subquery("told"), conditions)


def _running(look: Look, column: str, partition: Sequence[str]) -> Node:
    if look.ahead:
        frame = exp.WindowSpec(kind="ROWS", start="CURRENT ROW", end="UNBOUNDED", end_side="FOLLOWING")
    else:
        frame = b.so_far()
    return exp.Window(
        this=(exp.Min if look.ahead else exp.Max)(this=b.column(column)),
        partition_by=[b.column(name) for name in partition], order=b.order([b.column("t"), b.column("place")]),
        spec=frame,
    )  # fmt: skip
