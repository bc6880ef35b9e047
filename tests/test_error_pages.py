"""Every code has a page, every page a code, and the examples on a page give that code and none."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from segdsl.catalog import load, load_text
from segdsl.pipeline import compile_files, compile_rule
from segdsl.text.codes import lints, page
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "errors"
CODES = sorted({code for file in ROOT.glob("segdsl/**/*.py") for code in re.findall(r"SEG\d{4}", file.read_text())})
SHAPE = re.compile(
    r"# (SEG\d{4}): [^\n]+\n\n.+?\n\n## Wrong\n\n```(\w+)\n(.*?)\n```\n\n## Right\n\n```(\w+)\n(.*?)\n```\n", re.DOTALL
)
# A heading, or what should have been one, makes a rule file; anything else is a bare rule.
FILE = re.compile(r"^(segment|score|test)\b", re.MULTILINE)


def parts(code: str) -> tuple[str, ...]:
    text = page(code)
    assert text is not None, f"{code} has no page"
    match = SHAPE.fullmatch(text)
    assert match, f"{code}: title, text, Wrong and Right, in this order"
    return match.groups()


def findings(code: str, kind: str, text: str, as_file: bool) -> list[Diagnostic]:
    if kind == "yaml":
        return load_text(text, "segdsl.yml", ROOT)[1]
    assert kind == "seg", code
    catalog, found = load(ROOT / "tests/data/pages/segdsl.yml")
    assert catalog is not None, found
    # the page of a lint shows it, also of one that is off by default
    catalog = replace(catalog, lints={name: True for name, lint in lints().items() if lint == code})
    if as_file:
        return list(compile_files([Source("page.seg", text)], catalog).diagnostics)
    return list(compile_rule(text, catalog).diagnostics)


@pytest.mark.parametrize("code", CODES)
def test_a_page_for_every_code_and_its_examples(code: str) -> None:
    title, wrong_kind, wrong, right_kind, right = parts(code)
    assert title == code
    as_file = bool(FILE.search(wrong) or FILE.search(right))
    if wrong_kind != "text":
        found = [diagnostic.code for diagnostic in findings(code, wrong_kind, wrong, as_file)]
        assert code in found, f"the wrong example gives {found}"
    if right_kind != "text":
        assert not findings(code, right_kind, right, as_file)


def test_no_page_without_a_code() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.md")) == CODES
