"""Misspelt keywords: which one a word was probably meant to be."""

from __future__ import annotations

from collections.abc import Container, Sequence

from segdsl.text.suggest import distance

# Those that stand inside a rule, behind or between names.
KEYWORDS = (
    *("and", "or", "not", "then", "where", "in", "on", "since", "after", "before", "between", "within", "without"),
    *("with", "has", "changed", "was", "ever", "is", "known", "unknown", "matches", "contains", "starts", "ends"),
    *("ago", "times", "today", "yesterday", "tomorrow", "segment", "list", "ignoring", "per", "more", "than"),
)
_SHORT = {"im": "in", "ni": "in", "iin": "in", "ro": "or", "orr": "or", "iss": "is", "no": "not"}
_GOES_ON = frozenset({"in", "is", "not", "starts", "ends", "more", "was", "with"})  # keywords of two words begin so
_FIRST = frozenset({"not", "in"})  # what a test may begin with
LONGEST = 12  # words of a name that are looked through


def meant(word: str) -> str | None:
    """The keyword of which a word is a misspelling; None for a keyword, and for what is no near miss.

    One letter may be wrong, missing, doubled or swapped with its neighbour, two in a word of seven or more.
    """
    lower = word.lower()
    if lower in KEYWORDS or lower in _SHORT:
        return _SHORT.get(lower)
    if not 3 <= len(lower) <= 12:
        return None
    near = [(distance(lower, k), k) for k in KEYWORDS if len(k) > 2 and abs(len(k) - len(lower)) < 3]
    wrong, keyword = min(near, default=(9, ""))
    return keyword if wrong <= (2 if len(lower) >= 7 else 1) else None


def respelt(words: Sequence[str], known: Container[str]) -> str | None:
    """An unknown name as the beginning of a rule, its misspelt keyword put right: `subscribed adn opened email`.

    words: of the name, as written. known: names, each as words joined by one space; the misspelt word must stand
    behind one of them, or be what a test begins with.
    """
    if len(words) > LONGEST:
        return None
    for index, word in enumerate(words):
        keyword = meant(word)
        if keyword is None:
            continue
        before = [earlier.lower() for earlier in words[:index]]
        while before and before[-1] in _GOES_ON:
            before.pop()
        fits = " ".join(before) in known if before else index > 0 or (keyword in _FIRST and len(words) > 1)
        if fits:
            return " ".join([*words[:index], keyword, *words[index + 1 :]])
    return None
