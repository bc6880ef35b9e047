"""Values that a test block gives to attributes and properties, checked against their types."""

from __future__ import annotations

from typing import NoReturn

from segdsl import types
from segdsl.core import nodes as core
from segdsl.criteria.comparison import check_fits
from segdsl.criteria.context import Context, described
from segdsl.criteria.literals import number, text
from segdsl.criteria.windows import start_of
from segdsl.syntax import ast
from segdsl.syntax.strings import plain

Told = core.Attribute | core.Held | core.Property
Written = ast.Expression | ast.Unknown | ast.TextList | ast.Place

_WANTED = {
    types.Bool: "write `true` or `false`",
    types.Number: "write a number without quotes, like `40`",
    types.Float: "write a number without quotes, like `0.5`",
    types.String: 'write a text in quotes, like `"DE"`',
    types.Enum: "write one of its values in quotes",
    types.Timestamp: "write a day or an instant without quotes, `2026-01-31` or `2026-01-31T08:00`",
    types.Date: "write a day without quotes, `2026-01-31`",
    types.Geo: "write latitude and longitude, `(52.52, 13.405)`",
    types.ListOf: 'write texts in parentheses, `("vip", "beta")`; none of them is `()`',
}


def given(context: Context, subject: ast.Expression, name: str, told: Told, node: Written) -> object:
    """What `subject = node` says: a value in the Python form of the type of `told`, None for `unknown`.

    name: what messages call the attribute or property.

    Raises Rejected for a value of another type, one that the type cannot hold, and a date that does not exist.
    """
    type_ = told.type
    match type_, node:
        case _, ast.Unknown():
            return None
        case types.Bool(), ast.Bool():
            return node.value
        case types.Number(), ast.Number():
            constant = number(node)
            assert isinstance(constant.type, types.Number)
            check_fits(context, told, subject, node, constant)
            return int(constant.value) * 10 ** (type_.scale - constant.type.scale)
        case types.Float(), ast.Number():
            return float(node.text) + 0.0  # -0.0 becomes 0.0
        case ((types.String() | types.Enum()), ast.Text()):
            return text(context, node, type_, f"`{name}`")
        case types.Timestamp(), ast.Date() | ast.Instant():
            return start_of(context, node)
        case types.Date(), ast.Date():
            return start_of(context, node)
        case types.Geo(), ast.Place():
            return _place(context, node)
        case types.ListOf(), ast.TextList():
            return tuple(plain(item) for item in node.items)
        case _:
            _mismatch(context, name, type_, node)


def contact_id(context: Context, node: Written) -> str | int:
    """The id of the contact: a text, or a whole number, as in the database. Raises Rejected for anything else."""
    if isinstance(node, ast.Text):
        return plain(node)
    if isinstance(node, ast.Number):
        constant = number(node)
        assert isinstance(constant.type, types.Number)
        if constant.type.scale == 0 and abs(int(constant.value)) <= types.INT.limit:
            return int(constant.value)
    context.reject(
        "SEG0535",
        f"`{context.words(node)}` is not the id of a contact",
        node.span,
        label="an id is wanted",
        help=f'write it as it is stored, `{context.catalog.key.name} = "c17"` or `{context.catalog.key.name} = 17`',
    )


def _place(context: Context, node: ast.Place) -> tuple[float, float]:
    latitude, longitude = float(node.latitude.text) + 0.0, float(node.longitude.text) + 0.0
    if abs(latitude) > 90 or abs(longitude) > 180:
        context.reject(
            "SEG0535",
            f"`{context.words(node)}` is no place on Earth",
            node.span,
            label="latitude first, from -90 to 90, then longitude, from -180 to 180",
            help="write `(52.52, 13.405)`",
        )
    return latitude, longitude


def _mismatch(context: Context, name: str, type_: types.Type, node: Written) -> NoReturn:
    context.reject(
        "SEG0301",
        f"`{name}` is {described(type_)}, and `{context.words(node)}` is {_kind(node)}",
        node.span,
        label=f"{described(type_)} is wanted",
        why=f"`{name}` is declared `{type_}`",
        help=_WANTED[type(type_)],
    )


def _kind(node: Written) -> str:
    match node:
        case ast.Text():
            return "a text"
        case ast.Number():
            return "a number"
        case ast.Bool():
            return "true or false"
        case ast.Date():
            return "a day"
        case ast.Instant():
            return "an instant"
        case ast.Duration():
            return "a length of time"
        case ast.TextList():
            return "a list of texts"
        case ast.Place():
            return "a place"
        case _:
            return "not one"
