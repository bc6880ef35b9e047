"""What tables and columns of a statement are called, and where its rules find every fact."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from segdsl.backends.sql.terms import Terms
from segdsl.core import nodes


class Namer:
    """Hands out readable names, each once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.taken = {name.lower() for name in taken}

    def name(self, wanted: str) -> str:
        """A name like the wanted one that has not been given out: lower case, 40 letters at most."""
        base = re.sub(r"[^a-z0-9]+", "_", wanted.lower()).strip("_")[:40] or "x"
        base = f"n_{base}" if base[0].isdigit() else base
        name, n = base, 1
        while name in self.taken:
            n += 1
            name = f"{base}_{n}"
        self.taken.add(name)
        return name


@dataclass
class Names:
    """Where every fact is found.

    contact, attributes: the table of the contact's row, and its columns of an attribute. properties: columns of the
      event's row. measures: the table and the column of each. segments, chains: the CTEs of those whom they hold of.
    terms, latest: how counts are answered that are no measures of their own; see `latest.plan`.
    """

    contact: str
    attributes: Mapping[nodes.Attribute | nodes.Held, tuple[str, ...]]
    measures: dict[nodes.Measure, tuple[str, str]] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, str] = field(default_factory=dict)
    chains: dict[nodes.Chain, str] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    latest: Mapping[nodes.Measure, nodes.Measure] = field(default_factory=dict)
