"""The prompt's own commands: a name, how it is used, what it does."""

from __future__ import annotations

COMMANDS: dict[str, tuple[str, str]] = {
    ".sql": (".sql [DIALECT]", "the SQL of the last rule"),
    ".python": (".python", "the Python that the last rule compiles to"),
    ".explain": (".explain CONTACT", "why a contact is in the last rule, or is not"),
    ".now": (".now [T]", "ask about this time from here on; `.now now` goes back to the clock"),
    ".segments": (".segments", "every segment and its size"),
    ".save": (".save NAME FILE", "add the last rule to a .seg file, as the segment NAME"),
    ".help": (".help", "this list"),
    ".quit": (".quit", "leave; so does Ctrl-D"),
}
