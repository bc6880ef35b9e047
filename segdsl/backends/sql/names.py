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
    """Where every fact is found: columns of the contact row, of measures, of event rows."""

    attributes: Mapping[nodes.Attribute | nodes.Held, tuple[str, ...]]
    measures: dict[nodes.Measure, tuple[str, str]]  # -> (table, column)
    properties: Mapping[str, str]
    segments: Mapping[str, str]
    contact: str = "contact"
    chains: dict[nodes.Chain, str] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    latest: Mapping[nodes.Measure, nodes.Measure] = field(default_factory=dict)  # counts -> see `latest.plan`
