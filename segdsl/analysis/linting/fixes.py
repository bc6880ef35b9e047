"""Applying the fixes of lints to a file, if what comes out provably means the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass

from segdsl.analysis.proof.prover import Prover
from segdsl.catalog.model import Catalog
from segdsl.check import check
from segdsl.core import nodes as core
from segdsl.core.program import Program
from segdsl.syntax import parse_file
from segdsl.syntax.ast import Parsed
from segdsl.text.diagnostic import Diagnostic, Edit
from segdsl.text.source import Source


def fix(
    source: Source, found: Iterable[Diagnostic], files: Sequence[Parsed], program: Program, catalog: Catalog
) -> tuple[str, int]:
    """A file's text with the fixes of diagnostics about it, and how many of them there are in it.

    files, program: the project that the file is part of. Of fixes that overlap only the first is applied: after it
    the others may no longer be right. Where the result is not proven to mean the same, only one of them is applied,
    or none.
    """
    chosen = _apart([d.fix for d in found if d.fix and d.source is not None and d.source.name == source.name])
    for some in [chosen, *([edits] for edits in chosen if len(chosen) > 1)] if chosen else []:
        text = _edited(source.text, [edit for edits in some for edit in edits])
        if _same(Source(source.name, text), files, program, catalog):
            return text, len(some)
    return source.text, 0


def _edited(text: str, edits: list[Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _apart(fixes: Iterable[tuple[Edit, ...]]) -> list[tuple[Edit, ...]]:
    chosen: list[tuple[Edit, ...]] = []
    taken: list[Edit] = []
    for edits in fixes:
        if any(e.span.start < t.span.end and t.span.start < e.span.end for e in edits for t in taken):
            continue
        chosen.append(edits)
        taken += edits
    return chosen


def _same(changed: Source, files: Sequence[Parsed], program: Program, catalog: Catalog) -> bool:
    """Whether the project with a changed file is proven to mean what it did."""
    tree, found = parse_file(changed)
    if found:
        return False
    others = [(source, file) for source, file in files if source.name != changed.name]
    after, found = check([*others, (changed, tree)], catalog)
    if any(diagnostic.source is changed for diagnostic in found):
        return False
    if set(after.segments) != set(program.segments) or set(after.scores) != set(program.scores):
        return False
    # What a rule refers to keeps its meaning as well, so it may be looked up as it was.
    prover = Prover(program, [key for key, attribute in catalog.attributes.items() if attribute.required])
    return all(
        _alike(prover, segment.rule, after.segments[name].rule) for name, segment in program.segments.items()
    ) and all(_alike(prover, points, after.scores[name]) for name, points in program.scores.items())


def _alike(prover: Prover, one: object, other: object) -> bool:
    """Whether two pieces of core are the same but for rules that are proven to be equivalent, wherever they stand."""
    if one == other:
        return True
    if isinstance(one, core.Rule) and isinstance(other, core.Rule) and prover.equivalent(one, other):
        return True
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(_alike(prover, *pair) for pair in zip(one, other, strict=True))
    if type(one) is not type(other) or not is_dataclass(one) or isinstance(one, type):
        return False
    names = [field.name for field in fields(one) if field.compare]
    return all(_alike(prover, getattr(one, name), getattr(other, name)) for name in names)
