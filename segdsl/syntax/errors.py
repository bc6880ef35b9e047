"""Syntax errors in the words of the person who wrote the rule."""

from __future__ import annotations

import re
from dataclasses import dataclass

from segdsl.syntax.slips import meant
from segdsl.text.diagnostic import Diagnostic
from segdsl.text.source import Source, Span


@dataclass(frozen=True)
class Surprise:
    """Something stood where the grammar could not take it.

    start, end: the stretch of the source that was parsed.
    at, to: the word that surprised; `ended` when the stretch ended too early instead.
    expected: the terminals that could have come (names of the grammar, never shown).
    whole: what was being read, `segment`, `score`, `test` or `rule`.
    """

    source: Source
    start: int
    end: int
    at: int
    to: int
    ended: bool
    expected: frozenset[str]
    whole: str


# What could come, in plain words, in this order; a line is shown if one of its terminals is expected.
_GROUPS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"COLON"}), "the `:` that ends the heading"),
    (frozenset({"POINTS"}), "a line of points, like `+20 if …` or `+2 per …`"),
    (frozenset({"WORD"}), "the name of an event or attribute"),
    (frozenset({"STRING"}), 'a text in quotes, like `"DE"`'),
    (frozenset({"NUMBER"}), "a number"),
    (frozenset({"DURATION"}), "a length of time, like `30d`"),
    (frozenset({"DATE", "INSTANT"}), "a date, like `2026-01-31`"),
    (frozenset({"COMMA"}), "`,`"),
    (frozenset({"RPAR"}), "`)`"),
    (frozenset({"LPAR"}), "a list in parentheses"),
    (frozenset({"CMP"}), "a comparison, like `>= 3`"),
    (frozenset({"EQ"}), "`=`"),
    (frozenset({"EVER"}), "a window, like `in 30d`"),
    (frozenset({"AGO"}), "`ago`"),
    (frozenset({"AHEAD"}), "`ahead`"),
    (frozenset({"AND", "OR"}), "`and` or `or`"),
    (frozenset({"THEN"}), "`then`"),
    (frozenset({"OF"}), "`of`"),
    (frozenset({"IF", "PER"}), "`if` or `per`"),
    (frozenset({"OUT"}), "`in` or `out`"),
)  # fmt: skip

# Behind a name these words go on with the sentence, so they cannot be part of it without backticks.
_RESERVED = frozenset(
    [
        *("and", "or", "not", "then", "where", "in", "on", "since", "after", "before", "between", "within", "without"),
        *("has", "changed", "was", "ever", "matches", "contains", "today", "yesterday", "tomorrow"),
        *("of", "times", "to", "from"),
    ]
)
_JOINING = {
    "and": "`and` stands between two tests",
    "or": "`or` stands between two tests",
    "not": "`not` stands before a test, or behind `then`, before an event: `visited then not purchased within 1d`",
    "then": "`then` stands between two events: `visited then purchased within 1d`",
}

# What writers of other languages type, and what it is called here.
_FOREIGN = {
    "==": "write `=`",
    "<>": "write `!=`",
    "&&": "write `and`",
    "||": "write `or`",
    "!": "write `not` (and `!=` for `is not`)",
    "'": 'texts stand in double quotes, `"like this"`',
    "“": 'texts stand in straight double quotes, `"like this"`',
    "”": 'texts stand in straight double quotes, `"like this"`',
    "/": "there is no division; compare with a product: `a > 2 * b`",
    "≥": "write `>=`",
    "≤": "write `<=`",
    "≠": "write `!=`",
    "–": "write a plain minus, `-`",
    "\ufeff": "remove this invisible character",
}

# Near misses: what stands before the surprise, what it is and what follows, and the way out.
_SAMPLE = 'a sample is written `in sample 10% of "name of the test"`'
_HINTS: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = tuple(
    (re.compile(before + r"\s*$", re.IGNORECASE), re.compile(after, re.IGNORECASE), hint)
    for before, after, hint in (
        (r"\bat least", r"[0-9]", "for a count write `>= 3`"),
        (r"\bat most", r"[0-9]", "for a count write `<= 3`; the limit of a score line takes a comma: `, at most 10`"),
        (r"\b(more|less|fewer)\s+than", r"[0-9]+(\s+times|\b(?!\s*[a-z]))", "for a count write `> 3` or `< 3`"),
        (r"", r"[0-9]+\s+times?\b", "for a count write `= 3` or `>= 3`; for a range `1 to 3 times`"),
        (r"\b(last|past)", r"[0-9]", "write `in 30d`"),
        (r"\bin(\s+the)?", r"(last|past)\s+[0-9]", "write `in 30d`"),
        (r"\bin", r"(this|last|next)\s+[a-z]+", "leave out `in`: `visited last month`"),
        (r"\bthen\s+[0-9]+\s*[a-z]+", r"ago\b", "it is `more than`, not `more then`: `visited more than 30d ago`"),
        (r"", r"ago\b", "write `more than 30d ago`, `between 30d and 60d ago` or `on the day 4d ago`"),
        (r"\bis not", r"(known|unknown|null)\b", "write `is known` or `is unknown`"),
        (r"\bis", r"", "write `= …`, `is known` or `is unknown`"),
        (r"\b(in|within|next|between|ago|and|than)", r"[0-9]+(?![\w.-])", "say which unit: `30d`, `36h`, `2w`, `6mo`"),
        (r"\b(in|within|next|than|between)", r"[0-9.]+\s*[a-z]+", "a length of time is a whole number and one of "
         "`ms s min h d w mo y`, like `36h`"),
        (r"", r"[0-9]{1,4}[-./][0-9]{1,2}[-./][0-9]{1,4}", "a date is written `2026-01-31`: year, month and day"),
        (r"\b(on|since|after|before)", r"", "a date is written `2026-01-31`"),
        (r"\bwith", r"in\s+[0-9]", "it is one word, `within 1h`, for a gap or a burst; a window is `in 30d` alone"),
        (r"", r"with\s+in\s+[0-9]", "it is one word, `within 1h`, for a gap or a burst; a window is `in 30d` alone"),
        (r"\bin\s+sample(\s+[0-9.]+\s*(%(\s*of)?)?)?", r"", _SAMPLE),
        (r"", r"in\s+sample\b", _SAMPLE),
        (r"\banniversary\s+of\s+[a-z]+\s*\(", r"", "write an attribute: `anniversary of signup date today`"),
        (r"[=<>]", r"-\s*[^\W\d]", "to negate a name, subtract it from 0: `0 - name`"),
        (r"[=<>]", r"[$€£]", "write the number alone, without a currency sign"),
    )
)  # fmt: skip

# The same for the lines of test blocks; what stood before is the line so far, or the line above at its start.
_DAY = r"^\s*[0-9][\w:.+-]*\s+"
_TEST_HINTS: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?:{before})\s*\Z", re.IGNORECASE | re.MULTILINE), re.compile(after, re.IGNORECASE), hint)
    for before, after, hint in (
        (r"^\s*contact\s+\w+(\s+\w+)*", r"=", "`contact` lines come first, before all that is dated; later on write "
         '`2026-03-05 set country = "AT"`'),
        (r"=", r"[^\W\d]", 'a text stands in quotes, `"DE"`; the bare words are `true`, `false` and `unknown`'),
        (r"=\s*\"[^\"\n]*\"\s*,", r"\"", 'a list of texts stands in parentheses: `tags = ("vip", "beta")`'),
        (r"(^\s*contact|^\s*[0-9]\S*\s+set|,)\s+[^=\n]*[^=\s]", r"", 'these lines give values: `country = "DE"`, '
         "`subscribed = true`, `country = unknown`"),
        (_DAY, r"(not\s+)?in\s+list\b", 'write `2026-03-05 set in list "NAME"`'),
        (_DAY + r"[^\W\d][^\n(]*", r"=", 'to change an attribute write `2026-03-05 set country = "AT"`'),
        (_DAY + r"[^\W\d][^\n]*", r"[<>]|[0-9]+\s+times?\b", "one line is one event: write a line for each"),
        (r"\([^)\n]*", r",", "properties are joined by `and`: `where (amount = 30.00 and plan = …)`"),
        (r":|[^\n]*\n", r"[^\W\d]", 'begin the line with a day: `2026-03-01 visited "/pricing"`, '
         "`2026-03-05 set …`, `on 2026-03-09 in`"),
    )
)  # fmt: skip

_TOKEN = re.compile(r"[^\W\d]\w*|[0-9][\w.]*|\"(?:[^\"\\\n\r]|\\[^\n\r])*\"|==|<>|&&|\|\||[<>!]=|.", re.DOTALL)


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " or " + parts[-1]


def _could_come(surprise: Surprise) -> str:
    expected = surprise.expected
    hidden: set[str] = {"EQ"} if "CMP" in expected else set()
    if "WORD" in expected and "LPAR" in expected and "NUMBER" in expected:
        return "a test, a name, a number or `(`"
    if "EVER" in expected:  # behind a subject: the clauses, not the whole alphabet of them
        hidden |= {"STRING", "LPAR", "WORD", "NUMBER", "THEN", "COMMA"}
    parts = [words for names, words in _GROUPS if names & (expected - hidden)]
    return _list(parts[:6]) if parts else ""


def _end(surprise: Surprise) -> int:
    """Where the text of the stretch really ends: before trailing space and comments."""
    text = surprise.source.text[surprise.start : surprise.end]
    lines = text.splitlines(keepends=True)
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return surprise.start + len("".join(lines).rstrip())


def _reserved(surprise: Surprise, before: str, word: str) -> Diagnostic | None:
    """A keyword that the writer meant as part of a name, as in `signed in >= 3`."""
    words = re.search(r"((?:[^\W\d]\w*\s+)*[^\W\d]\w*)\s*$", before)
    if words is None:
        return None
    run = words[1].split()
    if len(run) < 2 or run[-1].lower() not in _RESERVED or run[-2].lower() in _RESERVED:
        return None
    keyword = run[-1].lower()
    if keyword in _JOINING or keyword == "where":
        return None
    # The name reaches back to the word behind the previous keyword.
    name = [run[-1]]
    for earlier in reversed(run[:-1]):
        if earlier.lower() in _RESERVED:
            break
        name.insert(0, earlier)
    starts = surprise.start + words.start(1) + len(words[1].rstrip()) - len(run[-1])
    meant = " ".join(name)
    could = _could_come(surprise)
    return Diagnostic(
        "SEG0104",
        f"`{run[-1]}` is a word of the language here, and {word} cannot follow it",
        surprise.source,
        Span(starts, starts + len(run[-1])),
        label=f"{could} should follow" if could and len(could) < 70 else "",
        help=f"if `{meant}` is a name, write it in backticks: `` `{meant}` ``",
    )


def explain(surprise: Surprise) -> Diagnostic:
    """The diagnostic for a place where the parser could not go on."""
    source, text = surprise.source, surprise.source.text
    at = _end(surprise) if surprise.ended else surprise.at
    before = text[surprise.start : at]
    could = _could_come(surprise)
    previous = before.split()[-1] if before.split() else ""
    if surprise.ended:
        reserved = _reserved(surprise, before, "the end")
        if reserved is not None and previous.lower() not in {"in", "since", "after", "between", "within", "has", "on"}:
            return reserved
        if not before.strip():
            return Diagnostic(
                "SEG0109",
                f"there is no {surprise.whole} here",
                source,
                Span(surprise.start, at),
                help='write a test, like `visited "/pricing" in 30d`',
            )
        message = f"the {surprise.whole} ends too early, after `{previous}`"
        last = len(previous)
        wanted = could or "more"
        opened = _open_parenthesis(text, surprise.start, at)
        if opened is not None:
            return Diagnostic(
                "SEG0110",
                "this parenthesis is never closed",
                source,
                Span(opened, opened + 1),
                help="add the `)` that belongs to it",
            )
        return Diagnostic(
            "SEG0101",
            message,
            source,
            Span(at - last, at),
            label=f"{wanted} should follow",
            help=_help(surprise, previous),
        )
    match = _TOKEN.match(text, at)
    word = match[0] if match else text[at : at + 1]
    span = Span(at, at + len(word))
    if word in _FOREIGN:
        return Diagnostic("SEG0101", f"`{word}` is not part of the language", source, span, help=_FOREIGN[word])
    if word == "=" and before.endswith("="):
        return Diagnostic("SEG0101", "`==` is not part of the language", source, Span(at - 1, at + 1), help="write `=`")
    if word == ">" and before.endswith("<"):
        return Diagnostic(
            "SEG0101", "`<>` is not part of the language", source, Span(at - 1, at + 1), help="write `!=`"
        )
    if word == ")" and _open_parenthesis(text, surprise.start, at) is None:
        return Diagnostic(
            "SEG0110", "this `)` closes nothing", source, span, help="remove it, or open the parenthesis earlier"
        )
    hint = _hint(before, text[at : surprise.end], surprise.whole) or _slip(before, word)
    # a number or a name behind a keyword is a slip in the clause; anything else says that it was no clause
    reserved = (
        None
        if hint or (re.match(r"[\w\"`]", word) and word.lower() not in _RESERVED)
        else _reserved(surprise, before, f"`{word}`")
    )
    if reserved is not None:
        return reserved
    if word == ":" and surprise.whole == "rule":
        hint = "a bare rule has no heading: leave out everything up to the `:`"
    where = f" after `{previous}`" if previous else ""
    return Diagnostic(
        "SEG0101",
        f"`{word}` cannot stand here{where}",
        source,
        span,
        label=f"{could} could come here" if could else "",
        help=hint or _help(surprise, previous if previous.lower() in _RESERVED and len(before.split()) > 1 else word),
    )


def _hint(before: str, after: str, whole: str) -> str:
    for stood, comes, hint in (*_TEST_HINTS, *_HINTS) if whole == "test" else _HINTS:
        if stood.search(before) and comes.match(after):
            return hint
    return ""


def _slip(before: str, word: str) -> str:
    """What to say of a misspelt keyword: the word that surprised, or the one or two behind a name before it."""
    keyword = meant(word)
    if keyword is not None and re.search(r"\S\s*$", before):
        return f"did you mean `{keyword}`?"
    run = re.search(r"(?:[^\W\d]\w*[ \t]+)*[^\W\d]\w*(?=\s*\(?\s*$)", before)
    words = run[0].split() if run else []
    while words and words[-1].lower() in _RESERVED:
        words.pop()
    # A single word is the name itself, unless it can begin a test.
    keyword = meant(words[-1]) if words else None
    if len(words) == 1 and keyword != "not":
        return ""
    return f"did you mean `{keyword}` instead of `{words[-1]}`?" if keyword else ""


def _open_parenthesis(text: str, start: int, end: int) -> int | None:
    """The innermost parenthesis that is still open at `end`."""
    opened: list[int] = []
    for piece in re.finditer(r'#[^\r\n]*|"(?:[^"\\\n\r]|\\[^\n\r])*"|`[^`\n\r]*`|[()]', text[start:end]):
        if piece[0] == "(":
            opened.append(start + piece.start())
        elif piece[0] == ")" and opened:
            opened.pop()
    return opened[-1] if opened else None


def _help(surprise: Surprise, word: str) -> str:
    """A way out that fits the kind of mistake."""
    lower = word.lower()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?[a-z]+", lower):
        return "a length of time is a whole number and one of `ms s min h d w mo y`, like `36h`"
    if lower in _JOINING:
        return _JOINING[lower]
    if lower in _RESERVED:
        return f"if `{word}` is part of a name, write the whole name in backticks"
    if surprise.whole == "score" and "POINTS" in surprise.expected:
        return "each line of a score is `+20 if RULE` or `+2 per EVENT, at most 10`"
    if surprise.whole == "test":
        return 'a test line is `2026-03-01 visited "/pricing"`, `2026-03-05 set country = "AT"` or `on 2026-03-09 in`'
    if "AND" in surprise.expected:
        return "join two tests with `and` or `or`"
    return "read the rule aloud up to here: a test is a name, then a comparison, then a window"
