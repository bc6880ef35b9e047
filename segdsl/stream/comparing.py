"""What a database says of a contact, against what the stream knows of it: the lines that tell the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from segdsl.backends.python.fit import fit
from segdsl.catalog.model import Attribute, Catalog
from segdsl.core.contact import Facts
from segdsl.core.time import isoformat
from segdsl.stream import writing
from segdsl.stream.person import Person
from segdsl.stream.writing import Fields, written


class Comparison:
    """Of attributes, lists, histories and events without a time.

    kinds: those events without a time that some segment asks for.
    """

    def __init__(self, catalog: Catalog, kinds: Iterable[str]) -> None:
        self._catalog = catalog
        self._zone = catalog.timezone
        self._kinds = tuple(kinds)
        self._attributes = dict(_attributes(catalog))

    def lines(self, facts: Facts, known: Person | None, now: int) -> Iterator[Fields]:
        """Lines without contact and time; of changes later than now none is told yet.

        known: what the stream knows of the contact; it is told of one that it does not know.
        """
        given = self._given(facts, known)
        if given or known is None or not known.known:
            yield {"set": given}
        lists = known.facts.lists if known is not None else frozenset()
        if lists != facts.lists:
            yield {"lists": {name: name in facts.lists for name in sorted(lists ^ facts.lists)}}
        histories = self._histories(facts, known, now)
        if histories:
            yield {"history": histories}
        for kind in self._kinds:
            rows = [properties for _, properties in facts.events.get(kind, ())]
            before = known.events.get(kind, ()) if known is not None else ()
            if _bag(row for row in self._fitting(kind, rows)) != _bag(properties for _, properties in before):
                yield writing.has(self._catalog, kind, rows)

    def _given(self, facts: Facts, known: Person | None) -> Fields:
        before = known.attributes if known is not None else {}
        given: Fields = {}
        for key, (name, attribute) in self._attributes.items():
            value = facts.attributes.get(key)
            if value != before.get(key):
                text = written(value, attribute.type, self._zone)
                if fit(text, attribute.type, self._zone) != before.get(key):
                    given[name] = text
        return given

    def _histories(self, facts: Facts, known: Person | None, now: int) -> Fields:
        before = known.history if known is not None else {}
        given: Fields = {}
        for key, rows in facts.history.items():
            attribute = self._catalog.attributes[key]
            texts = [(at, written(value, attribute.type, self._zone)) for at, value in rows if at <= now]
            if [(at, fit(text, attribute.type, self._zone)) for at, text in texts] != list(before.get(key, ())):
                given[attribute.name] = [[isoformat(at), text] for at, text in texts]
        return given

    def _fitting(self, kind: str, rows: Iterable[Mapping[str, object]]) -> Iterator[Mapping[str, object]]:
        declared = self._catalog.events[kind].properties
        for row in rows:
            texts = {key: written(value, declared[key].type, self._zone) for key, value in row.items()}
            yield {key: fit(text, declared[key].type, self._zone) for key, text in texts.items()}


def _attributes(catalog: Catalog) -> Iterator[tuple[tuple[str | None, str], tuple[str, Attribute]]]:
    """Each attribute without a history, by its key in `Facts`, with the name that lines give it."""
    for key, own in catalog.attributes.items():
        if own.history is None:
            yield (None, key), (own.name, own)
    for key, relation in catalog.relations.items():
        for inner, attribute in relation.attributes.items():
            yield (key, inner), (f"{relation.name}.{attribute.name}", attribute)


def _bag(rows: Iterable[Mapping[str, object]]) -> list[str]:
    """Rows whose order does not matter, without what is unknown of them."""
    return sorted(repr(sorted((k, v) for k, v in row.items() if v is not None)) for row in rows)
