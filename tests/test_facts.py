"""The facts beside the shared data sets, which independent SQL computed: member counts and the ids' checksum.

On every database those of the two small data sets; `benchmarks/facts.py` runs all of them everywhere.
"""

from __future__ import annotations

import pytest

from segdsl.backends.python import compile_program
from segdsl.engines import connect
from tests.support.databases import DATABASES
from tests.support.facts import DATA, RULES, catalog_of, checked, facts, stored, told
from tests.support.world import instant, program_of

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the shared data sets are not beside the project")


def test_every_fact_is_told() -> None:
    assert {fact["id"] for fact in facts()} == set(RULES)


@pytest.mark.parametrize("fact", list(facts()), ids=lambda fact: fact["id"])
def test_a_fact_is_told_by_sql(fact: dict[str, str]) -> None:
    assert told(catalog_of(fact["dataset"]), fact) == (fact["count"], fact["ids_md5"])


@pytest.mark.parametrize("dataset", ["shop_clicks", "weblog"])
@pytest.mark.parametrize("name", DATABASES)
def test_facts_in_databases(name: str, dataset: str) -> None:
    catalog = stored(name, dataset)
    for fact in facts():
        if fact["dataset"] == dataset:
            assert told(catalog, fact) == (fact["count"], fact["ids_md5"]), fact["id"]


SMALL = ("shop_clicks", "weblog", "online_retail")


@pytest.mark.parametrize("fact", [f for f in facts() if f["dataset"] in SMALL], ids=lambda fact: fact["id"])
def test_a_fact_is_told_by_python(fact: dict[str, str]) -> None:
    """The same by predicates over one contact after the other."""
    catalog = catalog_of(fact["dataset"])
    compiled = compile_program(program_of(f"segment rule:\n    {RULES[fact['id']]}\n", catalog))
    predicate, now = compiled.predicate("rule"), instant(fact["now"])
    with connect(catalog) as engine:
        found = checked(contact.id for contact in engine.facts() if predicate(contact, now))
    assert found == (fact["count"], fact["ids_md5"])
