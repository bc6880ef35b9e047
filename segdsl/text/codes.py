"""The pages that explain the codes: `docs/errors/SEG0203.md` and its like, shipped with the package."""

from __future__ import annotations

import re
from pathlib import Path

CODE = re.compile(r"SEG\d{4}")
_LINT = re.compile(r"# (SEG\d{4}): [^\n]* \(lint `([a-z-]+)`\)\n")
_PACKAGE = Path(__file__).resolve().parents[1]
# In an installed package the pages are inside it, in a checkout beside it.
_FOLDERS = (_PACKAGE / "docs" / "errors", _PACKAGE.parent / "docs" / "errors")


def folder() -> Path:
    """The folder that holds the pages."""
    return next((place for place in _FOLDERS if place.is_dir()), _FOLDERS[0])


def known() -> list[str]:
    """Every code that has a page, sorted."""
    return sorted(path.stem for path in folder().glob("SEG*.md") if CODE.fullmatch(path.stem))


def page(code: str) -> str | None:
    """The Markdown page of a code, or None if there is no such code."""
    code = code.upper()
    path = folder() / f"{code}.md"
    if not CODE.fullmatch(code) or not path.is_file():
        return None
    return path.read_text(encoding="utf-8")


def lints() -> dict[str, str]:
    """The names of the lints that can be switched on and off, each with its code, by the titles of their pages."""
    found = {}
    for path in sorted(folder().glob("SEG04*.md")):
        title = _LINT.match(path.read_text(encoding="utf-8"))
        if title is not None:
            found[title[2]] = title[1]
    return found
