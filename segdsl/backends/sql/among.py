"""Some contacts, for a statement that does not look at all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from segdsl.backends.sql.build import Node
from segdsl.catalog.model import Column

# A stored table, its column of contacts, and whether that may hold aliases, which rows of histories do not.
Part = tuple[str, Column, bool]


@dataclass(frozen=True)
class Among:
    """The contacts that are looked at, and where their rows are without those of others.

    contacts: a table or CTE whose column `contact` holds their keys.
    excerpts: a part of what is stored -> a table or CTE with their rows of it, as they are stored.
    queries: those of these tables that are CTEs of the statement, in the order in which they build on each other.
    """

    contacts: str
    excerpts: Mapping[Part, str] = field(default_factory=dict)
    queries: Mapping[str, Node] = field(default_factory=dict)
