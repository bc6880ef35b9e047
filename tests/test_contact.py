"""Values that fit their type, and contacts as callers give them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from segdsl import types
from segdsl.backends.python.fit import fit
from segdsl.catalog import model
from segdsl.contact import Contact, Event, facts
from segdsl.core.time import DAY, from_datetime
from segdsl.text.source import Source

D2, INT, TIME, DATE = types.decimal(6, 2), types.INT, types.Timestamp(), types.Date()
MARCH = from_datetime(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    "value,type,expected",
    [
        ("12", INT, 12), ("-0", INT, 0), ("+1", INT, None), ("1.0", INT, None), (" 1", INT, None), ("1\n", INT, None),
        ("١", INT, None), (True, INT, None), (5.0, INT, 5), (5.5, INT, None), (float("nan"), INT, None),
        (float("inf"), INT, None), (2**63 - 1, INT, 2**63 - 1), (2**63, INT, None), ("9" * 9000, INT, None),
        ("9" * 30, INT, None), (Decimal("7.00"), INT, 7), (Decimal("1E+999999"), INT, None),
        ("12.5", D2, 1250), ("12.500", D2, 1250), ("12.501", D2, None), ("-0.05", D2, -5), (".5", D2, None),
        ("1e2", D2, None), ("9999.99", D2, 999999), ("10000", D2, None), (0.125, D2, 13), (-0.125, D2, -13),
        (1e-300, D2, 0), (1e300, D2, None), (2.675, D2, 268), (3, D2, 300), (Decimal("1.005"), D2, None),
        (Decimal("NaN"), D2, None), (Decimal("1E-999999"), D2, None), (False, D2, None),
        ("1.5", types.Float(), 1.5), (-0.0, types.Float(), 0.0), (float("nan"), types.Float(), None),
        ("nan", types.Float(), None), (10**400, types.Float(), None), (True, types.Float(), None),
        ("true", types.Bool(), True), ("True", types.Bool(), None), (1, types.Bool(), None),
        (False, types.Bool(), False),
        (5, types.String(), None), ("", types.String(), ""), ("\ud800", types.String(), None),
        ("a\0", types.String(), None),
        ("pro", types.Enum(("free", "pro")), "pro"), ("x", types.Enum(("free",)), None),
        ("2026-03-01T00:00:00Z", TIME, MARCH), ("2026-03-01", TIME, MARCH), ("2026-03-01 01:00:00+01", TIME, MARCH),
        ("2026-03-01T00:00:00.123456789", TIME, MARCH + 123456), ("2026-W09-7", TIME, None),
        ("2026-02-30", TIME, None),
        ("2026-03-01T00:00:00.1234567890", TIME, None), (1772323200, TIME, None), (date(2026, 3, 1), TIME, MARCH),
        (datetime(2026, 3, 1), TIME, MARCH),
        (datetime(2026, 3, 1, 5, tzinfo=timezone(timedelta(hours=5))), TIME, MARCH),
        ("2026-03-01", DATE, MARCH - DAY // 24), (datetime(2026, 3, 1), DATE, MARCH - DAY // 24),
        ("2026-W09-7", DATE, None),
        (datetime(2026, 3, 1, 1), DATE, None), (date(2026, 7, 1), DATE, MARCH + 122 * DAY - DAY // 12),
        ((52.5, 13), types.Geo(), (52.5, 13.0)), ((91, 0), types.Geo(), None), ((0, -181), types.Geo(), None),
        ((float("nan"), 0), types.Geo(), None), ("52,13", types.Geo(), None), ((1,), types.Geo(), None),
        (["a", 1, "b"], types.ListOf(), ("a", "b")), ('["a", null]', types.ListOf(), ("a",)),
        ("a", types.ListOf(), None),
        ('{"a": 1}', types.ListOf(), None), ("[" * 100_000, types.ListOf(), None), (None, INT, None),
    ],
)  # fmt: skip
def test_fits(value: object, type: types.Type, expected: object) -> None:
    got = fit(value, type, "Europe/Berlin")
    assert got == expected and got.__class__ is expected.__class__
    assert str(got) == str(expected)  # 0.0 is not -0.0


def catalog() -> model.Catalog:
    column = model.Column("c")
    own = {"lead score": model.Attribute("Lead score", INT, (column,))}
    company = {"industry": model.Attribute("industry", types.String(), (column,))}
    amount = {"amount": model.Property("amount", INT, column), "note": model.Property("note", types.String(), column)}
    buy = model.Event("purchased", "t", column, model.TimeColumn(column), amount, id=column)
    look = model.Event("visited", "t", column, model.TimeColumn(column), {})
    deal = model.Event("deal", "t", column, None, {})
    return model.Catalog(
        Source("segdsl.yml", ""), Path(), None, "UTC", (), "contacts", column, own,
        {"purchased": buy, "visited": look, "deal": deal},
        {"company": model.Relation("company", "companies", column, column, company)},
    )  # fmt: skip


def test_names_in_any_spelling_and_values_that_fit() -> None:
    contact = Contact(7, {"LEAD_score": "40", "Company.Industry": "Software"}, lists=["vip"])
    found = facts(contact, catalog())
    assert found.attributes == {(None, "lead score"): 40, ("company", "industry"): "Software"}
    assert (found.id, found.lists) == (7, frozenset({"vip"}))


def test_deliveries_of_one_id_count_once_as_the_earliest() -> None:
    def buy(second: int, id: str | None, **properties: object) -> Event:
        return Event("Purchased", datetime(2026, 3, 1, 0, 0, second, tzinfo=UTC), properties, id)

    contact = Contact(1, events=[
        buy(5, "a", amount=1), buy(4, "a", note="x"), buy(4, "a", amount=9), buy(4, "a", amount=8),
        buy(1, None), buy(1, None), {"event": "visited", "at": "2026-03-01T00:00Z", "id": "a"},
        {"event": "visited", "id": "b"}, {"event": "deal"}, Event("visited", "2026-03-01T00:00Z", id="a"),
    ])  # fmt: skip
    found = facts(contact, catalog()).events
    assert sorted(found["purchased"], key=lambda row: row[0]) == [
        (MARCH + 10**6, {}), (MARCH + 10**6, {}), (MARCH + 4 * 10**6, {"amount": 8}),
    ]  # fmt: skip
    assert found["visited"] == [(MARCH, {}), (MARCH, {})]  # the catalog names no id here
    assert found["deal"] == [(0, {})]


@pytest.mark.parametrize(
    "contact,message",
    [
        (Contact(1, {"lead scor": 1}), "unknown attribute `lead scor`; did you mean `Lead score`?"),
        (Contact(1, {"company.industri": 1}), "unknown attribute `company.industri`; did you mean `company.industry`?"),
        (Contact(1, events=[Event("visitd")]), "unknown event `visitd`; did you mean `visited`?"),
        (Contact(1, events=[Event("purchased", None, {"amonut": 1})]), "unknown property of `purchased` `amonut`"),
    ],
)
def test_unknown_names(contact: Contact, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        facts(contact, catalog())


def test_times_that_are_none() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        Event("visited", datetime(2026, 3, 1))
    with pytest.raises(ValueError, match="is no time"):
        Event("visited", "yesterday")
    with pytest.raises(ValueError, match="no field `when`"):
        Contact(1, events=[{"event": "visited", "when": "x"}])  # type: ignore[typeddict-unknown-key]
    with pytest.raises(ValueError, match="needs the field `event`"):
        Contact(1, events=[{"at": None}])
    assert Event("visited", "1970-01-01").instant == 0
