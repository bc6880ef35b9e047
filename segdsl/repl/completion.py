"""What could be written at the cursor: a pure function of the text, the catalog and the names there are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from segdsl.catalog.model import Catalog, name_key
from segdsl.repl.commands import COMMANDS
from segdsl.repl.offers import Names, offers
from segdsl.repl.tokens import Token, tokens
from segdsl.syntax import ast, parse_rule
from segdsl.text.source import Source


@dataclass(frozen=True)
class Completion:
    """`text` may stand in place of what is typed from `start` to the cursor; `meta` says what it is."""

    text: str
    start: int
    meta: str


def complete(text: str, cursor: int, catalog: Catalog, names: Names) -> list[Completion]:
    """The completions of a text at a cursor (a character offset), likeliest first."""
    before = text[:cursor]
    if before.lstrip().startswith("."):
        return _commands(before)
    body = _body(tokens(before))
    if body is None:
        return []
    found = body
    last = found[-1] if found else None
    touching = last is not None and last.end == cursor

    def beginning(typed: str, at: int, start: int) -> list[Completion]:
        """What may stand at the token `at`, which begins at `start`, and begins so."""
        fits = [offer for offer in offers(found[:at], catalog, names) if _key(offer[0]).startswith(typed)]
        return [Completion(spelled(*offer), start, offer[1]) for offer in fits]

    if last is not None and last.open:
        fits = beginning(_key(last.text[1:]), -1, last.start)
        return [each for each in fits if each.text.startswith('"') or last.kind == "quoted"]
    if last is not None and touching and (last.kind in ("comment", "number", "text", "quoted") or last.text == ")"):
        return []
    words = 0
    while words < len(found) and found[-1 - words].kind == "word":
        words += 1
    completions: list[Completion] = []
    for length in range(words, 0, -1):  # names and phrases have several words: the longest fit is meant
        start = found[-length].start
        completions = beginning(_key(before[start:]) + ("" if touching else " "), -length, start)
        if completions:
            break
    if not touching or words == 0:
        completions += beginning("", len(found), cursor)
    return list(dict.fromkeys(completions))


def _body(found: list[Token]) -> list[Token] | None:
    """Without a heading, which has names of its own; None for a test, whose lines are not rules."""
    if not found or found[0].key not in ("segment", "score", "test"):
        return found
    colon = next((at for at, token in enumerate(found) if token.text == ":"), None)
    if colon is None:
        return found
    return None if found[0].key == "test" else found[colon + 1 :]


def _key(text: str) -> str:
    return name_key(text.strip('"`'))


def _commands(before: str) -> list[Completion]:
    """Of the prompt's own commands."""
    start = len(before) - len(before.lstrip())
    command, blank, argument = before[start:].partition(" ")
    if not blank:
        return [Completion(name, start, about) for name, (_, about) in COMMANDS.items() if name.startswith(command)]
    if command == ".sql" and " " not in argument:
        from segdsl.backends.sql.dialects import DIALECTS

        return [Completion(d, start + len(command) + 1, "dialect") for d in DIALECTS if d.startswith(argument)]
    return []


@lru_cache(maxsize=4096)
def spelled(text: str, meta: str) -> str:
    """A name as a rule writes it: in backticks if the words of the language would break it apart."""
    if meta == "keyword" or meta.startswith("value of ") or text.startswith('"'):
        return text
    if meta == "relation":
        return spelled(text.removesuffix("."), "") + "."
    rule, found = parse_rule(Source("", f"{text} in 30d"))
    plain = not found and isinstance(rule, ast.Test) and isinstance(rule.subject, ast.Operand)
    plain = plain and rule.subject.name.text == text and len(rule.clauses) == 1  # type: ignore[union-attr]
    return text if plain else f"`{text}`"
