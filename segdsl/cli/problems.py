"""Which exceptions are the environment's fault, and how to say so."""

from __future__ import annotations


def environment(problem: Exception) -> str | None:
    """The message for a problem outside segdsl (a file, a connection), or None if it is segdsl's own."""
    if isinstance(problem, OSError):
        reason = problem.strerror or str(problem)
        return f"{problem.filename}: {reason}" if problem.filename else reason
    if isinstance(problem, UnicodeDecodeError):
        return "a file is not UTF-8 text"
    return None
