"""Rule files: which a project has, what is in them, and what they are called in messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from segdsl.catalog.model import Catalog
from segdsl.pipeline import Compiled, compile_files
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span


def rule_paths(paths: Iterable[Path]) -> list[Path]:
    """The rule files that paths name: files as they are, of folders every `.seg` inside."""
    found: list[Path] = []
    for path in paths:
        found += sorted(path.rglob("*.seg")) if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def project_paths(catalog: Catalog) -> list[Path]:
    """The rule files of a project, each once, sorted by path."""
    found: set[Path] = set()
    for pattern in catalog.rules:
        anchor = Path(pattern).anchor
        # An absolute pattern is taken from its root; pathlib only takes relative ones.
        base, rest = (Path(anchor), pattern[len(anchor) :]) if anchor else (catalog.folder, pattern)
        found.update(path for path in base.glob(rest) if path.is_file())
    return sorted(found)


def read(path: Path) -> tuple[Source, list[Diagnostic]]:
    """A rule file as a source named as a user in the current folder would; OSError if it cannot be read."""
    return decode(display(path), path.read_bytes())


def decode(name: str, data: bytes) -> tuple[Source, list[Diagnostic]]:
    """The bytes of a rule file as a source; what is not UTF-8 is an error."""
    try:
        return Source(name, data.decode("utf-8").removeprefix("\ufeff")), []
    except UnicodeDecodeError as error:
        before = len(data[: error.start].decode("utf-8").removeprefix("\ufeff"))
        source = Source(name, data.decode("utf-8", "replace").removeprefix("\ufeff"))
        label = f"the byte {data[error.start]:#04x}"
        span = Span(before, before + 1)
        return source, [Diagnostic("SEG0008", "this is not UTF-8", source, span, label, help="save the file as UTF-8")]


def display(path: Path) -> str:
    """A path as diagnostics print it: relative if it is inside the current folder."""
    if not path.is_absolute():
        return path.as_posix()
    try:
        return path.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def compile_paths(catalog: Catalog, paths: Sequence[Path]) -> Compiled:
    """The program of some rule files; OSError if one cannot be read."""
    sources: list[Source] = []
    found: list[Diagnostic] = []
    for path in paths:
        source, diagnostics = read(path)
        found += diagnostics
        if not diagnostics:
            sources.append(source)
    compiled = compile_files(sources, catalog)
    program = None if found else compiled.program
    return Compiled(compiled.files, program, (*found, *compiled.diagnostics))
