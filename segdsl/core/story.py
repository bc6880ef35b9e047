"""The story that a test block tells: what is known of one contact, what happens, and who is in when (section 2).

Every line holds from an instant on (microseconds since 1970, UTC), whatever order the lines were written in.
Values are in the Python form of their types, as `segdsl.types` gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from segdsl.core.contact import Facts, Row, changes
from segdsl.core.nodes import Attribute, Held
from segdsl.text.source import Source, Span
from segdsl.types import Type

UNNAMED = "contact"  # the id of a contact whose story does not tell it


@dataclass(frozen=True, slots=True)
class Given:
    """The attribute has this value (None: unknown) from `at` on."""

    at: int
    of: Attribute | Held
    value: object


@dataclass(frozen=True, slots=True)
class Listed:
    """The contact is on a static list, or no longer on it, from `at` on."""

    at: int
    name: str
    member: bool


@dataclass(frozen=True, slots=True)
class Happened:
    """An event. `timed` is false for kinds without a time: those are there from `at` on."""

    at: int
    kind: str
    properties: Mapping[str, object]
    timed: bool = True


@dataclass(frozen=True, slots=True)
class Expected:
    """The contact is in (or out) at `at`; `span` is the line that says so."""

    at: int
    inside: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Story:
    """A test block of a segment. `steps` are in the order of time, and lines of one instant as they were written."""

    segment: str
    title: str
    source: Source
    span: Span
    id: str | int = UNNAMED
    steps: tuple[Given | Listed | Happened, ...] = ()
    expectations: tuple[Expected, ...] = field(default=())


def facts_at(story: Story, now: int) -> Facts:
    """The contact as it is at `now`.

    Events and histories are whole, as in a database that knows more: to look no further than now is the rule's
    business. What has no time of its own (attributes, lists, events without a time) is what it was at `now`.
    """
    attributes: dict[tuple[str | None, str], object] = {}
    lists: set[str] = set()
    events: dict[str, list[Row]] = {}
    held: dict[str, tuple[Type, list[tuple[int, object]]]] = {}
    for step in story.steps:
        match step:
            case Given(of=Held(key=key, type=type)):
                held.setdefault(key, (type, []))[1].append((step.at, step.value))
            case Happened(timed=True):
                events.setdefault(step.kind, []).append((step.at, step.properties))
            case _ if step.at > now:
                continue
            case Given(of=Attribute(key=key, relation=relation)):
                attributes[relation, key] = step.value
            case Happened():
                events.setdefault(step.kind, []).append((0, step.properties))
            case Listed(member=True):
                lists.add(step.name)
            case Listed():
                lists.discard(step.name)
    history = {key: changes(rows, type) for key, (type, rows) in held.items()}
    return Facts(story.id, attributes, events, frozenset(lists), history)
