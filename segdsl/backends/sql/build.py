"""Small builders over sqlglot: names, literals, balanced logic and templates.

sqlglot puts no parentheses of its own around operands, so everything that nests goes through here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from sqlglot import exp, parse_one

from segdsl.backends.sql.reserved import RESERVED

Node = Any  # sqlglot's nodes; the library's own annotations are too loose to help a strict checker

TRUE = exp.true
FALSE = exp.false
NULL = exp.null
WIDE = 16  # more operands than this are grouped, so that no printer or parser meets a deep or endless chain

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
_ATOMS = (exp.Column, exp.Literal, exp.Func, exp.Paren, exp.Boolean, exp.Null, exp.Cast, exp.Case, exp.Array,
          exp.Subquery)  # fmt: skip


def plain(name: str) -> bool:
    """Whether a name is a lower-case word."""
    return _PLAIN.fullmatch(name) is not None


def identifier(name: str) -> Node:
    """An identifier, quoted unless it is a plain lower-case word that no dialect reserves."""
    return exp.to_identifier(name, quoted=not plain(name) or name.upper() in RESERVED)


def column(name: str, table: str | None = None) -> Node:
    """A column, of a table if there are several to choose from."""
    return exp.Column(this=identifier(name), table=identifier(table) if table else None)


def table(name: str, alias: str | None = None) -> Node:
    """`name` or `schema.name`."""
    parts = [identifier(part) for part in name.split(".")]
    node = exp.Table(this=parts[-1], db=parts[-2] if len(parts) > 1 else None, catalog=parts[0] if parts[2:] else None)
    node.meta["name"] = name
    if alias and alias != name:
        node.set("alias", exp.TableAlias(this=identifier(alias)))
    return node


def text(value: str) -> Node:
    """A text of the rules or the catalog: a literal for people, a bound value for drivers (`Dialect.question`)."""
    node = exp.Literal.string(value)
    node.meta["bound"] = True
    return node


def bound_texts(tree: Node) -> list[Node]:
    """All nodes of a tree that `text` has made, those in front of it first."""
    return [node for node in tree.find_all(exp.Literal, bfs=False) if node.is_string and node.meta.get("bound")]


def literal(value: str) -> Node:
    """A text of this package's own, such as a pattern; the printer escapes it for the dialect."""
    return exp.Literal.string(value)


def number(scaled: int, scale: int = 0) -> Node:
    """An exact decimal literal: `number(1250, 2)` is 12.50."""
    digits = str(abs(scaled))
    if scale:
        digits = digits.rjust(scale + 1, "0")
        digits = f"{digits[:-scale]}.{digits[-scale:]}"
    literal = exp.Literal.number(digits)
    return exp.Neg(this=literal) if scaled < 0 else literal


def double(value: float) -> Node:
    """A DOUBLE literal: an exponent tells it from a decimal."""
    digits = repr(abs(value))
    literal = exp.Literal.number(digits if "e" in digits else f"{digits}e0")
    return exp.Neg(this=literal) if value < 0 else literal


def paren(node: Node) -> Node:
    """The node, in parentheses unless it cannot be torn apart."""
    return node if isinstance(node, _ATOMS) and not isinstance(node, exp.Connector) else exp.Paren(this=node)


def operand(node: Node) -> Node:
    """For a side of `=`, `+` and the like; a negative literal may stay bare."""
    return node if isinstance(node, exp.Neg) else paren(node)


def conjunction(parts: Iterable[Node]) -> Node:
    """All of the conditions; TRUE if there are none."""
    return _chain(list(parts), exp.And, TRUE)


def disjunction(parts: Iterable[Node]) -> Node:
    """Any of the conditions; FALSE if there are none."""
    return _chain(list(parts), exp.Or, FALSE)


def _chain(parts: list[Node], kind: Any, empty: Callable[[], Node]) -> Node:
    if not parts:
        return empty()
    if len(parts) == 1:
        return parts[0]
    while len(parts) > WIDE:
        groups = [parts[i : i + WIDE] for i in range(0, len(parts), WIDE)]
        parts = [exp.Paren(this=_chain(group, kind, empty)) if len(group) > 1 else group[0] for group in groups]
    other = exp.Or if kind is exp.And else exp.And
    bare = [exp.Paren(this=part) if isinstance(part, other) else part for part in parts]
    result = bare[0]
    for part in bare[1:]:
        result = kind(this=result, expression=part)
    return result


def negation(part: Node) -> Node:
    """NOT, with its operand in parentheses where they are needed."""
    return exp.Not(this=paren(part))


def cast(node: Node, kind: str) -> Node:
    """CAST to a type as DuckDB spells it; the printer spells it for the dialect."""
    return exp.Cast(this=node, to=_filled(_type(kind), {}))


@lru_cache(maxsize=256)
def _type(kind: str) -> Node:
    return exp.DataType.build(kind, dialect="duckdb")


def case(pairs: Sequence[tuple[Node, Node]], otherwise: Node | None = None) -> Node:
    """CASE WHEN … THEN …; NULL where no condition holds and there is no `otherwise`."""
    node = exp.Case(ifs=[exp.If(this=condition, true=value) for condition, value in pairs])
    if otherwise is not None:
        node.set("default", otherwise)
    return node


def coalesce(node: Node, default: Node) -> Node:
    """The first of the two that is not NULL."""
    return exp.Coalesce(this=node, expressions=[default])


def known(node: Node) -> Node:
    """`node IS NOT NULL`."""
    return exp.Not(this=exp.Is(this=operand(node), expression=NULL()))


_OPERATORS = {"=": exp.EQ, "<": exp.LT, "<=": exp.LTE, ">": exp.GT, ">=": exp.GTE}


def compare(op: Literal["=", "<", "<=", ">", ">="], left: Node, right: Node) -> Node:
    """A comparison; NULL if a side is."""
    return _OPERATORS[op](this=operand(left), expression=operand(right))


def added(left: Node, right: Node) -> Node:
    """The sum of two numbers."""
    return exp.Add(this=operand(left), expression=operand(right))


def extreme(kind: type[exp.Greatest] | type[exp.Least], options: Sequence[Node]) -> Node:
    """The greatest or least of options that are all known: where one is not, engines differ."""
    if len(options) == 1:
        return options[0]
    # The flag keeps the printer from writing out what would happen to unknown ones.
    return kind(this=options[0], expressions=list(options[1:]), ignore_nulls=True)


def one_of(value: Node, options: Sequence[Node]) -> Node:
    """`value = option`, or `value IN (options)`; NULL if the value is."""
    if len(options) == 1:
        return compare("=", value, options[0])
    return exp.In(this=operand(value), expressions=list(options))


def aliased(node: Node, name: str) -> Node:
    """The expression under a name, which a column of that name needs no `AS` for."""
    if isinstance(node, exp.Column) and node.name == name:
        return node
    return exp.Alias(this=node, alias=identifier(name))


def cte(name: str, body: Node, comment: str = "") -> Node:
    """A named query for a WITH, with words of a rule as its comment."""
    node = exp.CTE(this=body, alias=exp.TableAlias(this=identifier(name)))
    if comment:
        body.comments = [f" {safe_comment(comment)} "]
    return node


def safe_comment(words: str) -> str:
    """Rule text as it may stand in a comment: one line, and nothing in it that ends or opens a comment."""
    flat = "".join(c if c.isprintable() else " " for c in words)
    return " ".join(flat.split()).replace("*/", "* /").replace("/*", "/ *").replace("--", "- -")


@lru_cache(maxsize=512)
def _parsed(source: str, dialect: str) -> Node:
    return parse_one(source, dialect=dialect)


def template(source: str, dialect: str = "duckdb", **slots: Node) -> Node:
    """SQL text of this package with `_name` columns replaced by nodes. Never give it text of a user.

    dialect: of sqlglot, in which `source` is written.
    """
    return _filled(_parsed(source, dialect), slots)


def _filled(node: Node, slots: Mapping[str, Node]) -> Node:
    """A copy of a tree, with other nodes in place of some columns."""
    if type(node) is exp.Column and node.name[:1] == "_" and node.name[1:] in slots and not node.table:
        return operand(slots[node.name[1:]].copy())
    inside = {}
    for key, value in node.args.items():
        if isinstance(value, exp.Expr):
            inside[key] = _filled(value, slots)
        elif isinstance(value, list):
            inside[key] = [_filled(each, slots) if isinstance(each, exp.Expr) else each for each in value]
        else:
            inside[key] = value
    copied = node.__class__(**inside)
    if node._meta:
        copied.meta.update(node._meta)
    return copied


# --- queries ---------------------------------------------------------------------------------------------------


def select(columns: Sequence[tuple[str, Node]], source: Node, where: Iterable[Node] = ()) -> Node:
    """SELECT of columns `(name, expression)` from a source, where all conditions hold."""
    node = exp.Select(expressions=[aliased(value, name) for name, value in columns])
    node = node.from_(source, copy=False)
    conditions = list(where)
    return node.where(conjunction(conditions), copy=False) if conditions else node


def order(by: Iterable[Node]) -> Node:
    """ORDER BY, for a query or a window: the least first, unknown values last."""
    return exp.Order(expressions=[exp.Ordered(this=node, nulls_first=False) for node in by])


def so_far() -> Node:
    """The frame of a window over all rows up to each, for what runs on; ties in any order."""
    return exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")


def taken_opening(query: Node) -> Node | None:
    """The WITH of a query, which has none any more; None if it had none."""
    opening = query.args.get("with_")
    query.set("with_", None)
    return opening if isinstance(opening, exp.With) else None


def over(query: Node, columns: Sequence[tuple[str, Node]], alias: str) -> Node:
    """SELECT of columns from a query, whose WITH it takes to its own beginning."""
    opening = taken_opening(query)
    outer = select(columns, query.subquery(alias, copy=False))
    outer.set("with_", opening)
    return outer


def united(queries: Sequence[Node]) -> Node:
    """UNION ALL of queries with the same columns."""
    result = queries[0]
    for query in queries[1:]:
        result = exp.Union(this=result, expression=query, distinct=False)
    return result
