"""Text for Spark and its kin, which put variables into literals and comments before anything is parsed."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from sqlglot import exp

from segdsl.backends.sql.build import Node


def without_dollars(tree: Node, show: Callable[[Node], str]) -> str:
    """What `show` makes of the tree, with `$` as its escape in literals, so that `${name}` is never read as a variable.

    The escape is put in after printing, which would escape its backslash. The tree's literals and comments are changed.
    """
    mark = f"dollar{secrets.token_hex(8)}"
    for node in tree.walk():
        if isinstance(node, exp.Literal) and node.is_string:
            node.set("this", node.this.replace("$", mark))
        node.comments = [comment.replace("${", "$ {") for comment in node.comments or ()]
    return show(tree).replace(mark, r"\u0024")
