"""Texts and names that would be executed, rewritten or mistaken if they were ever pasted into a statement."""

from __future__ import annotations

_BASES = [
    "'", "''", '"', '""', "`", "\\", "\\\\", "\\'", '\\"', "%", "%%", "%s", "%(p1)s", "_", "?", ":p1", "$p1", "$1",
    "@p1", "{p1:String}", "{}", "{0}", "${env:HOME}", "${system:user.home}", "$${x}", "${spark.master}", "#{x}",
    "{{ x }}", "{% x %}", "$$", "$tag$", "--", "-- x\n", "#", "/*", "*/", "/*! x */", "/*+ x */", ";", "; ;", "\n",
    "\r\n", "\t", "'; DROP TABLE people; --", '"; DROP TABLE people; --', "`; DROP TABLE people; --",
    "\\'; DROP TABLE people; --", "' OR '1'='1", "' OR 1=1 --", "') OR ('1'='1",
    "' UNION SELECT id, id FROM people --", "1; SELECT 1", "*/ SELECT 1", "E'\\''", "N'x'", "U&'\\0027'", "x'27'",
    "0x27", "%27", "&#39;", "\\u0027", "\\x27", "\\047", "CHAR(39)", "' || '", "'+'", "''''", "NULL", "null",
    "TRUE", "\\N", "value_", "p1",
]  # fmt: skip
_AROUND = ["'{}", "{}\\", "\\{};--"]
_ODD = [
    "", " ", "  ", "a ", " a", "a", "A", "ß", "ss", "SS", "İ", "i̇", "ı", "I", "K", "k", "é", "é", "Å", "Å", "ﬁ",
    "fi", "😀", "👩‍👩‍👧", "𝒳", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "日本語", "\u2028", "\u2029", "\u00a0", "\ufeff", "\u200b", "\u200d",
    "\x1b[31m", "\x7f", "\x80", "\x01", "\ufffe", "\uffff", "\U0010ffff", "＇", "ʼ", "′", "‘", "＂", "＼", "；", "﹪",
    "\v", "\f", "\b", "x" * 5000, "'" * 999, "\\" * 500, "%" * 200, "*", "**", "?*", "[a]", "[^a]", "[", "]", "!",
    "!%", "!_", "!!", "a%b", "a_b",
]  # fmt: skip

TEXTS = list(dict.fromkeys([*_BASES, *(around.replace("{}", base) for base in _BASES for around in _AROUND), *_ODD]))

# What no rule and no catalog may hold: databases cannot store the first two, and the others show a text as another one.
REFUSED = [
    "\0", "a\0b", "\ud800", "x\udfff", "\u202e", "a\u202eb", "\u2066", "\u2067x", "\u2068", "\u2069", "\u202a",
    "\u202d",
]  # fmt: skip

NAMES = [
    "select", "Order", "GROUP", "user", "table", "from", "a b", " a", "a ", "A", "ä", "日本語", "😀", "1", "1a", "a-b",
    "a+b", "a'b", "'", "''", 'a"b', '"', '""', "a`b", "`", "``", "a\\b", "\\", "a%b", "%s", "%(p1)s", ":p1", "$p1",
    "$1", "?", "{p1:String}", "${env:HOME}", "$$", "a;b", "; DROP TABLE people; --", "x'; DROP TABLE people; --",
    'x"; DROP TABLE people; --', "x`; DROP TABLE people; --", "--", "a--b", "/*", "*/", "a/*b*/c", "a(b)", "a[0]",
    "a\nb", "a\tb", "*", "#", "@", "null", "value_1", "p1", "contact", "t", "events",
]  # fmt: skip
