"""The criteria of the language: `TESTS` is the one list of what may stand behind a value.

Each says what it accepts and lowers it to core; a new one that core can express is a function here
and a line in the list.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from segdsl.core import nodes as core
from segdsl.criteria.attributes import has, has_where, is_known, near, one_of, text_test
from segdsl.criteria.comparison import compare
from segdsl.criteria.context import Context
from segdsl.criteria.history import was
from segdsl.syntax import ast

# clause -> the criterion that lowers `VALUE clause`. Each function takes its own clause type.
TESTS: dict[type, Callable[[Context, ast.Expression, Any], core.Rule]] = {
    ast.Compare: compare,
    ast.OneOf: one_of,
    ast.TextTest: text_test,
    ast.IsKnown: is_known,
    ast.Has: has,
    ast.HasWhere: has_where,
    ast.Near: near,
    ast.Was: was,
}
