"""Membership (language reference, section 8): segments, static lists and samples."""

from __future__ import annotations

from segdsl.catalog.model import name_key
from segdsl.core import nodes as core
from segdsl.criteria.context import Context
from segdsl.criteria.literals import share
from segdsl.syntax import ast
from segdsl.syntax.strings import plain


def in_segment(context: Context, node: ast.InSegment) -> core.Rule:
    """`in segment NAME`. Raises Rejected for a name that no segment has."""
    _not_in_where(context, node)
    name = context.names.segments.get(name_key(node.segment.text))
    if name is None:
        context.reject(
            "SEG0201",
            f"`{node.segment.text}` is not a segment",
            node.segment.span,
            label="no such segment",
            help=context.suggest(
                node.segment.text, [(n, None) for n in context.names.segments.values()], "declare it: `segment NAME:`"
            ),
        )
    return core.InSegment(name)


def in_list(context: Context, node: ast.InList) -> core.Rule:
    """`in list "NAME"`. Raises Rejected if the catalog has no table of lists."""
    _not_in_where(context, node)
    if context.catalog.lists is None:
        context.reject(
            "SEG0207",
            "the catalog says nothing about static lists",
            node.span,
            label="where are lists stored?",
            help="declare `lists: {table: …, list: …, contact: …}` in segdsl.yml",
        )
    return core.InList(plain(node.list))


def in_sample(context: Context, node: ast.InSample) -> core.Rule:
    """`in sample 10% of "spring test"`. Raises Rejected for a share that is none."""
    _not_in_where(context, node)
    percent = share(node.percent)
    if percent is None:
        context.reject(
            "SEG0525",
            f"`{node.percent.text}%` is no share of the contacts",
            node.percent.span,
            label="more than 0, at most 100",
            help='write `in sample 10% of "name of the test"`',
        )
    # below part/whole of 2^32, rounded up: a whole number is below x exactly if it is below x rounded up
    part, whole = percent
    return core.InSample(plain(node.salt), -(-part * 2**32 // whole))


def _not_in_where(context: Context, node: ast.Node) -> None:
    if context.scope is not None:
        context.reject(
            "SEG0310",
            "inside `where (…)` stand the event's own properties, and membership is the contact's",
            node.span,
            label="not inside `where`",
            help="move it out: `… and in segment …`",
        )
