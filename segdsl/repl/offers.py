"""What may come behind a text that is still being typed, as far as the catalog and the names tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from segdsl import types
from segdsl.catalog.model import Catalog, Event, name_key
from segdsl.repl import phrases
from segdsl.repl.reading import Happening, Held, Reader, Subject, common_properties, test_of
from segdsl.repl.tokens import Item, Token, frames
from segdsl.types import Type

_COMPARE = ("=", "!=", "<", "<=", ">", ">=")
_TEXT = ("=", "!=", "in", "not", "starts", "ends", "contains", "matches")  # what may ignore case begins so
_UNITS = ("days", "weeks", "months", "day", "week", "month")


@dataclass(frozen=True)
class Names:
    """What rules may refer to beside the catalog's names; `lists` asks the database when it must."""

    segments: Sequence[str] = ()
    scores: Sequence[str] = ()
    lists: Callable[[], Sequence[str]] = tuple


Offer = tuple[str, str]  # what to write, and what it is


def offers(found: Sequence[Token], catalog: Catalog, names: Names) -> list[Offer]:
    """What may stand behind some tokens."""
    place = _Place(Reader(catalog, names.scores), names, frames(found))
    return list(dict.fromkeys(place.offers()))


@dataclass(frozen=True)
class _Place:
    """A place in a text: the open parentheses around it (see `frames`), and how names are read there."""

    reader: Reader
    names: Names
    stack: Sequence[Sequence[Item]]

    def offers(self) -> Iterator[Offer]:
        items = self.stack[-1]
        for depth in range(1, len(self.stack)):
            parent = self.stack[depth - 1]
            kinds = self._asked(parent)
            if kinds is not None:
                yield from replace(self, reader=replace(self.reader, scope=kinds), stack=self.stack[depth:]).offers()
                return
        parent = self.stack[-2] if len(self.stack) > 1 else []
        opener, before = (parent[-1].key, parent[-2].key if len(parent) > 1 else "") if parent else ("", "")
        if opener == "of" and before == "any" and (len(parent) < 3 or parent[-3].key != "has"):
            yield from self._members(items)
        elif opener == "in":
            subject, _ = self.reader.subject(test_of(parent))
            listed = {item.key for item in items}
            if isinstance(subject, Held) and (not items or items[-1].key == ","):
                yield from (each for each in _values(subject) if each[0].lower() not in listed)
        elif opener in phrases.FUNCTIONS and self.reader.scope is None:
            yield from self._argument(opener, items)
        elif opener in ("of", "contains", "matches", "with", "has"):
            return
        elif parent and isinstance(subject := self.reader.subject(test_of(parent))[0], Happening):
            yield from _objects(subject.kinds) if not items or items[-1].key == "," else ()
        else:
            yield from self._rule(items)

    def _asked(self, parent: Sequence[Item]) -> tuple[Event, ...] | None:
        """The kinds whose properties are meant inside the parenthesis that stands behind `parent`."""
        if not parent or self.reader.scope is not None:
            return None
        if parent[-1].key == "where":
            test = test_of(_last_member(parent[:-1]))
            return self.reader.kinds(test) or self.reader.kinds(self.reader.argument("sum", test)[1])
        if parent[-1].key == "has":
            subject, _ = self.reader.subject(test_of(parent[:-1]))
            return subject.asks if isinstance(subject, Held) and subject.asks else None
        return None

    # --- rules ----------------------------------------------------------------------------------------------------

    def _rule(self, items: Sequence[Item]) -> Iterator[Offer]:
        test = test_of(items)
        if not test:
            behind = [item.key for item in items[-2:]]
            yield from self._beginnings("without any" if behind == ["without", "any"] else "".join(behind[-1:]))
            return
        keys = [item.key for item in test]
        if self.reader.scope is None and keys[:2] in (["in", "segment"], ["in", "list"], ["in", "sample"]):
            yield from self._membership(keys)
            return
        if keys[:2] == ["anniversary", "of"]:
            _, rest = self.reader.subject(test[2:])
            if len(test) == 2:
                yield from self._named(_is_instant)
            elif not rest or rest[-1].key not in phrases.HANGING:
                yield from _keywords(*(phrases.JOINING if rest else ("in next 7d", "today", "tomorrow")))
            return
        if keys == ["everyone"]:
            yield from _keywords(*phrases.JOINING)
            return
        subject, rest = self.reader.subject(test)
        if subject is None:
            if test[-1].key == "." and len(test) > 1:
                relation = self.reader.catalog.relations.get(name_key(" ".join(keys[:-1])))
                for attribute in relation.attributes.values() if relation else ():
                    yield attribute.name, f"attribute of {relation.name}" if relation else ""
            return
        yield from self._behind(subject, rest, chained="then" in {item.key for item in items})

    def _beginnings(self, behind: str) -> Iterator[Offer]:
        """What a test may begin with. `behind`: the word before it."""
        if self.reader.scope is not None:
            yield from (
                (name, f"property of {kind.name}") for name, kind in common_properties(self.reader.scope).values()
            )
            if behind != "not":
                yield from _keywords("not")
            return
        catalog = self.reader.catalog
        if behind in ("+", "-", "*"):
            yield from self._named(lambda type: type_sort(type) == "number")
            yield from _keywords(*(f"{name}(" for name in phrases.FUNCTIONS))
            return
        yield from ((kind.name, "event") for kind in catalog.events.values())
        if behind in ("then", "without", "without any", "per"):
            yield from _keywords(*([] if behind == "without any" else ["any event", "any of ("]))
            yield from _keywords(*(["not"] if behind == "then" else []))
            return
        yield from self._named(lambda type: True)
        yield from ((f"{relation.name}.", "relation") for relation in catalog.relations.values())
        yield from _keywords(*(each for each in phrases.BEGINNINGS if each != "not" or behind != "not"))

    def _named(self, fits: Callable[[Type], bool]) -> Iterator[Offer]:
        """The contact's values of some types."""
        for attribute in self.reader.catalog.attributes.values():
            if fits(attribute.type):
                yield attribute.name, f"attribute, {attribute.type}"
        yield from ((name, "score") for name in self.names.scores if fits(types.INT))

    def _membership(self, keys: list[str]) -> Iterator[Offer]:
        if len(keys) > 2:
            complete = keys[1] != "sample" or len(keys) == 6
            yield from _keywords(*phrases.JOINING) if complete else ()
        elif keys[1] == "segment":
            yield from ((name, "segment") for name in self.names.segments)
        elif keys[1] == "list":
            yield from ((_quoted(name), "list") for name in self.names.lists())

    # --- behind a subject -------------------------------------------------------------------------------------------

    def _behind(self, subject: Subject, rest: Sequence[Item], chained: bool = False) -> Iterator[Offer]:
        last = rest[-1].key if rest else ""
        keys = [item.key for item in rest]
        middle = _middle(keys)
        if middle is not None:
            yield from _keywords(*middle)
        elif last in ("after", "before") and len(keys) > 2 and keys[-3] == "within":
            yield from self._named(_is_instant)
            yield from _keywords("first(", "last(")
        elif isinstance(subject, Happening):
            yield from self._event_clauses(subject, keys, chained)
        elif not rest:
            yield from _keywords(*phrases.tests_of(subject.type), *(["has ("] if subject.asks else []))
            if subject.history:
                yield from _keywords(*phrases.HISTORY)
            if isinstance(subject.type, types.Bool):
                yield from _keywords(*phrases.JOINING)
        elif last in _COMPARE or last in ("was", "to", "from") or (last == "ever" and "was" in keys):
            yield from _values(subject)
            if last in _COMPARE and self.reader.scope is None and not isinstance(subject.type, types.Enum | types.Bool):
                yield from self._named(lambda type: type_sort(type) == type_sort(subject.type))
        elif "was" in keys and keys[-1][0] == '"' and "ever" not in keys:
            yield from _keywords("30d ago")
        elif isinstance(subject.type, types.Geo) and "km" not in keys and last[0].isdigit():
            yield from _keywords("km of (")
        elif last not in phrases.HANGING:
            text = isinstance(subject.type, types.String | types.Enum) and keys[0] in _TEXT and "case" not in keys
            yield from _keywords(*phrases.JOINING, *(["ignoring case"] if text else []))

    def _event_clauses(self, subject: Happening, keys: list[str], chained: bool) -> Iterator[Offer]:
        last = keys[-1] if keys else ""
        if (len(keys) > 1 and keys[-2:] == ["with", "same"]) or (last == "," and "same" in keys):
            yield from ((name, f"property of {kind.name}") for name, kind in common_properties(subject.kinds).values())
            return
        if last in _COMPARE or last in phrases.HANGING or last == ",":
            return
        if len(keys) == 1 and last.isdigit():
            yield from _keywords("to")
            return
        if not keys and not subject.object_given:
            yield from _objects(subject.kinds)
        rank = max((phrases.RANKS.get(key, 0) for key in keys), default=0)
        timed = all(kind.time for kind in subject.kinds)
        if rank == 2 and "times" not in keys and keys[-2] in _COMPARE:
            yield from _keywords("times")
        yield from _keywords(*(p for p, place in phrases.EVENT_CLAUSES if place > rank and (timed or place <= 2)))
        if keys[-2:-1] == ["within"]:
            yield from _keywords("after", "before")
        if len(self.stack) > 1 and self.reader.scope is None and self.stack[-2] and _is_call(self.stack[-2]):
            return
        if timed:
            yield from _keywords(*phrases.SEQUENCE, *(phrases.CHAIN_ENDS if chained else ["without"]))
        yield from _keywords(*phrases.JOINING)

    def _members(self, items: Sequence[Item]) -> Iterator[Offer]:
        """Inside `any of (…)`."""
        if not items or items[-1].key == ",":
            yield from ((kind.name, "event") for kind in self.reader.catalog.events.values())
        elif self.reader.kinds(_last_member(items)) and items[-1].key not in ("(", "where"):
            yield from _keywords("where (")

    def _argument(self, function: str, items: Sequence[Item]) -> Iterator[Offer]:
        """Inside `sum(…)` and its like."""
        if function == "percentile" and (len(items) < 2 or items[1].key != ","):
            return
        prop, events = self.reader.argument(function, items)
        catalog = self.reader.catalog
        if events:
            subject, rest = self.reader.subject(events)
            own = name_key(" ".join(item.key for item in events))
            if prop is None and function != "count" and any(own in kind.properties for kind in catalog.events.values()):
                yield from _keywords("of")
            if isinstance(subject, Happening) and (prop is not None or function in phrases.OF_EVENTS):
                yield from self._behind(subject, rest)
            return
        if prop is None and function != "count":
            for kind in catalog.events.values():
                yield from ((each.name, f"property of {kind.name}") for each in kind.properties.values())
        if prop is not None or function in phrases.OF_EVENTS:
            period = prop in ("day", "week", "month")
            for kind in catalog.events.values():
                if prop is None or prop in kind.properties or (period and kind.time):
                    yield kind.name, "event"
            yield from _keywords("any event", "any of (")


# --- little things ------------------------------------------------------------------------------------------------


def _last_member(items: Sequence[Item]) -> Sequence[Item]:
    """What stands behind the last comma: of a union, its last member."""
    return items[max((at for at, item in enumerate(items) if item.key == ","), default=-1) + 1 :]


def _keywords(*found: str) -> Iterator[Offer]:
    return ((each, "keyword") for each in found)


def _is_call(parent: Sequence[Item]) -> bool:
    return parent[-1].key in phrases.FUNCTIONS


def _is_instant(type: Type) -> bool:
    return isinstance(type, types.Timestamp | types.Date)


def type_sort(type: Type) -> object:
    """What two types share that can be compared with each other."""
    match type:
        case types.Timestamp() | types.Date():
            return "instant"
        case types.Number() | types.Float():
            return "number"
        case _:
            return type


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _values(subject: Held) -> Iterator[Offer]:
    match subject.type:
        case types.Enum(values):
            return ((_quoted(value), f"value of {subject.name}") for value in values)
        case types.Bool():
            return ((value, f"value of {subject.name}") for value in ("true", "false"))
        case _:
            return iter(())


def _objects(kinds: Sequence[Event]) -> Iterator[Offer]:
    """The values of an event's object, where its property lists them."""
    for kind in kinds:
        prop = kind.properties.get(kind.object) if kind.object else None
        if prop is not None and isinstance(prop.type, types.Enum):
            yield from ((_quoted(value), f"{prop.name} of {kind.name}") for value in prop.type.values)


def _middle(keys: Sequence[str]) -> list[str] | None:
    """What a window that has begun must go on with; None if it is whole, or if none has begun."""
    if not keys or not (keys[-1][0].isdigit() or keys[-1] in _UNITS):
        return ["than"] if keys[-1:] == ["more"] else None
    if keys[-2:] == ["the", "day"]:
        return []
    if "least" in keys:
        return None if keys[-1] in _UNITS else []
    if "than" in keys:
        return ["ago"]
    if "between" in keys:
        behind = keys[list(keys).index("between") + 1 :]
        if "and" not in behind:
            return ["and"]
        return None if "-" in behind[-1] else ["ago"]
    if keys[-4:-1] == ["on", "the", "day"]:
        return ["ago", "ahead"]
    if "was" in keys:
        return ["ago"]
    return None
