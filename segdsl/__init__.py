"""segdsl: groups of contacts, described by what they do.

    import segdsl

    project = segdsl.load("segdsl.yml")
    rule = project.compile('visited "/pricing" >= 3 in 30d')
    rule.matches(contact, now)

The names below are the public API. They are imported when first used, so that the command line starts fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segdsl.analysis.explain.explanation import Explanation, Reason, Witness
    from segdsl.contact import Contact, Event
    from segdsl.database import Database, Interval
    from segdsl.project import Project
    from segdsl.rule import Rule
    from segdsl.stream.stream import Change, Stream
    from segdsl.text.diagnostic import Diagnostic, Errors
    from segdsl.warehouse.results import Refresh, SegmentRefresh, Snapshot

    load = Project.load

__all__ = [
    "Change", "Contact", "Database", "Diagnostic", "Errors", "Event", "Explanation", "Interval", "Project", "Reason",
    "Refresh", "Rule", "SegmentRefresh", "Snapshot", "Stream", "Witness", "load",
]  # fmt: skip

_HOMES = {
    "Change": "segdsl.stream.stream",
    "Contact": "segdsl.contact",
    "Database": "segdsl.database",
    "Diagnostic": "segdsl.text.diagnostic",
    "Errors": "segdsl.text.diagnostic",
    "Event": "segdsl.contact",
    "Explanation": "segdsl.analysis.explain.explanation",
    "Interval": "segdsl.database",
    "Project": "segdsl.project",
    "Reason": "segdsl.analysis.explain.explanation",
    "Refresh": "segdsl.warehouse.results",
    "Rule": "segdsl.rule",
    "SegmentRefresh": "segdsl.warehouse.results",
    "Snapshot": "segdsl.warehouse.results",
    "Stream": "segdsl.stream.stream",
    "Witness": "segdsl.analysis.explain.explanation",
}


def __getattr__(name: str) -> object:
    if name == "load":
        value: object = import_module("segdsl.project").Project.load
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'segdsl' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
