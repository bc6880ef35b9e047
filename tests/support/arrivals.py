"""What is known after some lines have come: the same lines as the stream takes, gathered with none of its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from segdsl.backends.python import CompiledProgram
from segdsl.catalog.model import Catalog
from segdsl.contact import Contact, facts
from segdsl.core.time import parse_instant
from tests.support.world import World

Fields = Mapping[str, Any]

HISTORIES = {"plans": ("plan", "seats"), "owners": ("owner", "next call", "trial end", "spent")}
COLUMNS = {"next call": "call", "trial end": "trial_end", "home": "home"}


def instant_of(line: Fields) -> int:
    found = parse_instant(line["at"], "UTC")
    assert found is not None
    return found


@dataclass
class Arrivals:
    """Lines with the instant from which each counts: its own, or the clock's if that was further on."""

    catalog: Catalog
    lines: list[tuple[int, int, Fields]] = field(default_factory=list)
    clocks: list[int] = field(default_factory=list)  # when each line came

    def add(self, line: Fields, clock: int | None) -> None:
        at = instant_of(line)
        self.lines.append((at if clock is None else max(at, clock), len(self.lines), line))
        self.clocks.append(at if clock is None else clock)

    def known(self, now: int) -> dict[str, list[Fields]]:
        """Each known contact's lines that count by an instant, in the order in which they came.

        What was told as a whole is told one by one here, and what it has replaced is not there.
        """
        found = self.told(now)[0]
        return {name: self._singles(sorted(told, key=itemgetter(0))) for name, told in found.items()}

    def told(self, now: int) -> tuple[dict[str, list[tuple[int, Fields]]], dict[str, str], dict[int, str]]:
        """Each known contact's lines with their numbers, whose each alias is, and whose each line is that waits."""
        found: dict[str, list[tuple[int, Fields]]] = {}
        owners: dict[str, str] = {}
        waiting: dict[int, str] = {}

        def refused(line: Fields, name: str) -> bool:
            alias = line.get("alias")
            return alias is not None and owners.get(alias, name) != name  # an id has one owner

        def count(number: int, line: Fields, name: str) -> None:
            alias = line.get("alias")
            if refused(line, name):
                return
            if line.get("deleted"):
                found.pop(name, None)
                for other in [other for other, owner in owners.items() if owner == name]:
                    del owners[other]
                return
            found.setdefault(name, []).append((number, line))
            if alias is None or alias == name or alias in owners:  # that was known
                return
            owners.update({other: name for other, owner in owners.items() if owner == alias} | {alias: name})
            found[name] += found.pop(alias, [])
            waiting.update({each: name for each, owner in waiting.items() if owner == alias})

        def advance(to: int) -> None:
            for number in sorted(waiting, key=lambda number: self.lines[number][:2]):
                if self.lines[number][0] <= to:
                    count(number, self.lines[number][2], waiting.pop(number))

        for (_, number, line), clock in zip(self.lines, self.clocks, strict=True):
            if clock > now:
                break
            advance(clock)
            name = owners.get(line["contact"], line["contact"])
            if not refused(line, name):
                waiting[number] = name
            advance(clock)
        advance(now)
        return found, owners, waiting

    def people(self, now: int) -> list[Contact]:
        return [self._contact(name, lines) for name, lines in self.known(now).items()]

    def _contact(self, name: str, lines: list[Fields]) -> Contact:
        attributes: dict[str, Any] = {}
        history: dict[str, list[Any]] = {}
        lists: dict[str, bool] = {}
        events = []
        for line in sorted(lines, key=instant_of):  # of one instant, the one that came last holds
            for key, value in line.get("set", {}).items():
                if any(key in keys for keys in HISTORIES.values()):
                    history.setdefault(key, []).append((line["at"], value))
                else:
                    attributes[key] = value
            lists |= line.get("lists", {})
            if "event" in line:
                events.append({key: line.get(key) for key in ("event", "at", "properties", "id")})
        on = [key for key, member in lists.items() if member]
        return Contact(name, attributes, events, on, history)  # type: ignore[arg-type]

    def _singles(self, told: list[tuple[int, Fields]]) -> list[Fields]:
        """A contact's lines with their numbers, as if nothing had been told as a whole.

        A whole telling replaces what was taken before and is of its instant or an earlier one; of several the latest
        holds.
        """
        whole: dict[str, list[tuple[int, int]]] = {}  # of what -> instants and numbers
        for number, line in told:
            for what in ("history", "has"):
                for key in line.get(what, {}):
                    whole.setdefault(key, []).append((instant_of(line), number))

        def replaced(key: str, number: int, at: int) -> bool:
            order = self.lines[number][:2]
            return any(self.lines[other][:2] > order and until >= at for until, other in whole.get(key, ()))

        found: list[Fields] = []
        for number, line in told:
            at = instant_of(line)
            if "event" in line and replaced(line["event"], number, at):
                continue
            if "set" in line:
                line = {**line, "set": {k: v for k, v in line["set"].items() if not replaced(k, number, at)}}
            found.append(line)
        latest = {key: max(tellings) for key, tellings in whole.items()}
        for number, line in told:
            stamp = {"contact": line["contact"], "at": line["at"]}
            for key, rows in line.get("has", {}).items():
                if latest[key][1] == number:
                    found += [{**stamp, "event": key, "properties": row} for row in rows]
            histories = {key: rows for key, rows in line.get("history", {}).items() if latest[key][1] == number}
            for row in zip(*histories.values(), strict=True):  # a table has a row for several of them
                values = {key: value for key, (_, value) in zip(histories, row, strict=True)}
                found.append({**stamp, "at": row[0][0], "set": values})
        return found

    def members(self, compiled: CompiledProgram, names: list[str], now: int) -> set[tuple[str, str]]:
        """By the Python backend."""
        people = [facts(contact, self.catalog) for contact in self.people(now)]
        return {(name, str(p.id)) for name in names for p in people if compiled.predicate(name)(p, now)}

    def world(self, catalog_text: str, now: int) -> World:
        """The same as tables."""
        contacts: dict[str, Any] = {}
        tables: dict[str, list[Any]] = {
            "visits": [], "orders": [], "deals": [], "plans": [], "owners": [], "companies": [], "members": [],
            "aliases": [],
        }  # fmt: skip
        kinds = {"visited": "visits", "purchased": "orders", "deal": "deals"}
        owners = self.told(now)[1]
        tables["aliases"] = [{"alias": alias, "id": owner} for alias, owner in owners.items()]
        for name, lines in self.known(now).items():
            row: dict[str, Any] = {"company_id": name}
            company: dict[str, Any] = {"company_id": name}
            lists: dict[str, bool] = {}
            for line in sorted(lines, key=instant_of):
                given = line.get("set", {})
                for table, keys in HISTORIES.items():
                    if keys[0] in given:
                        values = {COLUMNS.get(key, key): given[key] for key in keys}
                        tables[table].append({"id": name, "at": line["at"], **values})
                        given = {}
                for key, value in given.items():
                    if key == "home":
                        row["lat"], row["lon"] = value
                    elif key.startswith("company."):
                        company[key.removeprefix("company.")] = value
                    else:
                        row[key.replace(" ", "_")] = value
                lists |= line.get("lists", {})
                if "event" in line:
                    recorded = line["contact"] if owners.get(line["contact"]) == name else name
                    event = {"id": recorded, "at": line["at"], "delivery": line.get("id"), **line["properties"]}
                    tables[kinds[line["event"]]].append(event)
            contacts[name] = row
            tables["companies"].append(company)
            tables["members"] += [{"list": key, "id": name} for key, member in lists.items() if member]
        return World(catalog_text, contacts, tables)
