"""`.save NAME FILE`: a rule of the session becomes a segment of a rule file, behind what stands there."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from segdsl.catalog.model import name_key
from segdsl.check.names import declared, without
from segdsl.core.program import BARE, needed
from segdsl.format import format_file
from segdsl.pipeline import compile_parsed
from segdsl.repl.completion import spelled
from segdsl.repl.results import Problems, Refused, Result, Said
from segdsl.rule_files import display, project_paths, read
from segdsl.syntax import ast, parse_file
from segdsl.syntax.ast import Parsed
from segdsl.text.source import Source

if TYPE_CHECKING:
    from segdsl.repl.session import Session

USAGE = "write `.save NAME segments/FILE.seg`"


def save(session: Session, argument: str) -> Result:
    """Append a declaration of the session called NAME, or the last rule under that name; refuse a name in use."""
    try:
        words = shlex.split(argument.replace("`", "'"))
    except ValueError:
        words = []
    if len(words) < 2:
        return Refused("a name and a file are wanted", USAGE)
    name, path = " ".join(words[:-1]), Path(words[-1]).expanduser()
    if path.suffix != ".seg":
        return Refused(f"not a rule file: {path}", "its name must end in .seg")
    if not path.parent.is_dir():
        return Refused(f"no such folder: {path.parent}", "make it first")
    there, found = read(path) if path.exists() else (Source(display(path), ""), [])
    if found:
        return Problems(tuple(found))
    old, _ = parse_file(there)
    for source, file in [(there, old), *session.files]:
        if name_key(name) in declared(file):
            return Refused(f"`{name}` exists already, in {source.name}", "save it under another name")
    text = _text(session, name)
    if text is None:
        return Refused("there is no rule yet", "type one first, then save it")
    return _append(session, name, path, there, text)


def _text(session: Session, name: str) -> str | None:
    """The declaration to save: what was typed under this name, or else the last rule with a heading."""
    for source, file in session.typed:
        for part in file.declarations:
            if not isinstance(part, ast.TestCase) and name_key(part.name.text) == name_key(name):
                return source.slice(part.span)
    if session.last is None or session.last.name != BARE:
        return None
    return f"segment {spelled(name, 'segment')}:\n    {session.last.text}\n"


def _append(session: Session, name: str, path: Path, there: Source, text: str) -> Result:
    formatted, found = format_file(Source(f".save {name}", text))
    if formatted is None:
        return Problems(tuple(found))
    source = Source(f".save {name}", formatted)
    new: Parsed = (source, parse_file(source)[0])
    others = without(session.known, [new])
    before = set(compile_parsed(others, [], session.catalog).diagnostics)
    compiled = compile_parsed([*others, new], [], session.catalog)
    wrong = tuple(each for each in compiled.diagnostics if each not in before and each.severity == "error")
    if wrong or compiled.program is None:
        return Problems(wrong)
    saved = {name_key(each): each for each in declared(new[1])}
    asked = needed(compiled.program, declared(new[1]).values())
    for other in (*asked.segments, *asked.scores):
        if name_key(other) not in saved and any(name_key(other) in declared(file) for _, file in session.typed):
            return Refused(f"it asks `{other}`, which only this session knows", f"save `{other}` first")
    newline = "\r\n" if "\r\n" in there.text else "\n"
    ends = (len(there.text) - len(there.text.rstrip("\r\n"))) // len(newline)
    gap = max(0, 2 - ends) if there.text.strip() else 0  # one empty line between declarations
    with path.open("a", encoding="utf-8", newline="") as file:
        file.write(("\n" * gap + formatted).replace("\n", newline))
    return _saved(session, name, path, new)


def _saved(session: Session, name: str, path: Path, new: Parsed) -> Result:
    """What the session knows from now on: the file as it is now, if it is one of the project's."""
    place = display(path)
    if path.resolve() not in {each.resolve() for each in project_paths(session.catalog)}:
        return Said(f"saved `{name}` to {place}, which is none of the project's rule files (`rules` in segdsl.yml)")
    source, _ = read(path)
    kept = [each for each in session.files if Path(each[0].name).resolve() != path.resolve()]
    session.files = (*kept, (source, parse_file(source)[0]))
    session.typed = without(session.typed, [new])
    return Said(f"saved `{name}` to {place}")
