"""Which stored columns a catalog speaks of."""

from __future__ import annotations

from segdsl.catalog.model import Catalog, Column


def used_columns(catalog: Catalog) -> dict[str, dict[str, None]]:
    """Table -> its columns, in the order of the catalog."""
    used: dict[str, dict[str, None]] = {}

    def add(table: str, *columns: Column) -> None:
        used.setdefault(table, {}).update((column.name, None) for column in columns)

    add(catalog.contacts, catalog.key)
    for attribute in catalog.attributes.values():
        if attribute.history is None:
            add(catalog.contacts, *attribute.columns)
        else:
            history = attribute.history
            add(history.table, history.contact, history.time.column, history.value)
    for event in catalog.events.values():
        add(event.table, event.contact, *([event.time.column] if event.time else []))
        add(event.table, *(column for column in (event.id, event.increasing) if column is not None))
        add(event.table, *(prop.column for prop in event.properties.values()), *(column for column, _ in event.where))
    for relation in catalog.relations.values():
        add(catalog.contacts, relation.contact)
        add(relation.table, relation.key, *(c for a in relation.attributes.values() for c in a.columns))
    if catalog.lists:
        add(catalog.lists.table, catalog.lists.list, catalog.lists.contact)
    if catalog.identities:
        add(catalog.identities.table, catalog.identities.alias, catalog.identities.contact)
    return used
