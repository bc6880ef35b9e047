"""Hypothesis strategies: typed rules over a catalog, and histories that sit on every boundary.

The instants of events are `NOW` moved by the lengths that the rules' windows have, give or take a microsecond,
so that generated cases meet the edges of windows instead of missing them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

NOW = datetime(2026, 3, 31, 10, 0, tzinfo=UTC)  # a month's end, two days after Berlin's clocks moved
ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Asia/Kathmandu")

CATALOG = """\
version: 1
timezone: {zone}
contacts:
  table: people
  key: id
  attributes:
    country: string
    city: string
    lead score: int
    balance: decimal(12,2)
    ratio: float
    subscribed: bool
    stage: {{enum: [subscriber, lead, customer]}}
    signup date: timestamp
    renewal date: date
    home: {{type: geo, latitude: lat, longitude: lon}}
    tags: list<string>
    plan: {{enum: [free, team, pro], history: {{table: plans, contact: id, time: at, value: plan}}}}
    seats: {{type: int, history: {{table: plans, contact: id, time: at, value: seats}}}}
    owner: {{type: string, history: {{table: owners, contact: id, time: at, value: owner}}}}
    next call: {{type: timestamp, history: {{table: owners, contact: id, time: at, value: call}}}}
    trial end: {{type: date, history: {{table: owners, contact: id, time: at, value: trial_end}}}}
    spent: {{type: "decimal(12,2)", history: {{table: owners, contact: id, time: at, value: spent}}}}
events:
  visited:
    table: visits
    contact: id
    time: at
    id: delivery
    object: path
    properties: {{path: string, seconds: int, device: {{enum: [mobile, desktop, tablet]}}, shared: string}}
  purchased:
    table: orders
    contact: id
    time: at
    object: product
    properties: {{product: string, amount: "decimal(12,2)", weight: float, gift: bool, due: timestamp, shared: string}}
  deal:
    table: deals
    contact: id
    properties: {{size: int, owner: string}}
relations:
  company: {{table: companies, key: company_id, contact: company_id, attributes: {{industry: string, employees: int}}}}
lists: {{table: members, list: list, contact: id}}
identities: {{table: aliases, from: alias, to: id}}
"""

WORDS = [
    "",
    "a",
    "A",
    "DE",
    "de",
    "/pricing",
    "/plans/a",
    "50%",
    "a_b",
    "it's",
    'q"q',
    "back\\slash",
    "é",
    "ß",
    "😀",
    "*",
    "?",
    "!",
]
GLOBS = ["/pricing", "/plans/*", "*", "?", "a?b", "\\\\*", "*%*", "d?", "*é*", "\\*", "A*", "", "?*?"]
DURATIONS = {"1s": 1, "90min": 5400, "1h": 3600, "1d": 86400, "7d": 7 * 86400, "30d": 30 * 86400, "2w": 14 * 86400}
CALENDAR_DURATIONS = ["1mo", "2 months", "1y"]
PERIODS = [f"{which} {unit}" for which in ("this", "last", "next") for unit in ("week", "month", "quarter", "year")]


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


words = st.sampled_from(WORDS).map(quoted)
globs = st.sampled_from(GLOBS).map(lambda g: '"' + g.replace('"', '\\"') + '"')
durations = st.sampled_from(list(DURATIONS))
window_durations = st.sampled_from([*DURATIONS, *CALENDAR_DURATIONS])
compare_ops = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
equality = st.sampled_from(["=", "!="])
small = st.integers(0, 4)
folding = st.sampled_from(["", " ignoring case"])
maybe_not = st.sampled_from(["", "not "])
days = st.sampled_from(
    ["2026-03-01", "2026-03-29", "2026-03-30", "2026-03-31", "2026-02-28", "2025-10-26", "2026-04-01"]
)
moments = st.sampled_from(
    ["2026-03-29T02:30", "2026-03-30T00:00Z", "2026-03-31T10:00Z", "2025-10-26T02:30", "2026-03-24T10:00:00.000001Z"]
)
decimals = st.sampled_from(["0", "0.1", "0.3", "10", "10.01", "-5", "99.99", "0.30"])


def joined(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    strategies = [st.just(p) if isinstance(p, str) else p for p in parts]
    return st.tuples(*strategies).map("".join)


def combined(tests: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    """Rules of at most about so many tests, by `not`, `and`, `or`."""
    return st.recursive(
        tests,
        lambda inner: st.one_of(
            joined("not (", inner, ")"),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " and ".join(parts) + ")"),
            st.lists(inner, min_size=2, max_size=3).map(lambda parts: "(" + " or ".join(parts) + ")"),
        ),
        max_leaves=most,
    )


def listed(item: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(item, min_size=1, max_size=3).map(lambda items: "(" + ", ".join(items) + ")")


# --- windows ------------------------------------------------------------------------------------------------

literal_windows = st.one_of(
    joined("since ", days),
    joined("after ", days),
    joined("before ", days),
    joined("on ", days),
    joined("since ", moments),
    joined("after ", moments),
    joined("before ", moments),
    st.lists(days, min_size=2, max_size=2, unique=True).map(lambda d: "between {} and {}".format(*sorted(d))),
)
moving_windows = st.one_of(
    joined("in ", window_durations),
    joined("more than ", window_durations, " ago"),
    st.lists(window_durations, min_size=2, max_size=2, unique=True).map(lambda d: f"between {d[0]} and {d[1]} ago"),
    st.sampled_from(["today", "yesterday", "tomorrow", "ever", *PERIODS]),
    joined("on the day ", durations, st.sampled_from([" ago", " ahead"])),
    joined("in next ", window_durations),
)
anchors = st.sampled_from(
    [
        "signup date",
        "renewal date",
        "next call",
        "trial end",
        "first(visited)",
        "last(purchased)",
        'last(visited "/pricing")',
    ]
)
anchored_windows = joined("within ", durations, st.sampled_from([" after ", " before "]), anchors)
windows = st.one_of(literal_windows, moving_windows, moving_windows, anchored_windows)
event_windows = st.one_of(st.just(""), joined(" ", windows))
# behind `within 1h` a window that begins with `after` or `before` reads as an anchored one, and is refused
burst_windows = event_windows.filter(lambda w: not w.startswith((" after", " before")))
date_windows = st.one_of(windows, st.just("in the future"))

# --- properties ---------------------------------------------------------------------------------------------


def text_tests(name: str) -> st.SearchStrategy[str]:
    return st.one_of(
        joined(name, " ", equality, " ", words, folding),
        joined(name, " ", maybe_not, "in ", listed(words), folding),
        joined(name, " ", maybe_not, st.sampled_from(["starts with ", "ends with ", "contains "]), words, folding),
        joined(name, " ", maybe_not, "contains ", listed(words), folding),
        joined(name, " ", maybe_not, "matches ", globs, folding),
        joined(name, " is ", st.sampled_from(["known", "unknown"])),
    )


visit_tests = st.one_of(
    text_tests("path"),
    text_tests("shared"),
    joined("seconds ", compare_ops, " ", small.map(str)),
    st.sampled_from(
        ['device = "mobile"', 'device in ("desktop", "tablet")', 'device != "desktop"', "seconds is known"]
    ),
    joined("day ", literal_windows),
)
order_tests = st.one_of(
    text_tests("product"),
    joined("amount ", compare_ops, " ", decimals),
    joined("weight ", compare_ops, " ", decimals),
    st.sampled_from(
        ["gift", "not gift", "gift is unknown", "amount > 2 * amount", "shared = product", "amount < weight"]
    ),
    joined("due ", date_windows.filter(lambda w: not w.startswith("within"))),
    joined("anniversary of due ", date_windows.filter(lambda w: not w.startswith("within"))),
)
deal_tests = st.one_of(joined("size ", compare_ops, " ", small.map(str)), text_tests("owner"))


def clause(tests: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    both = st.tuples(tests, st.sampled_from([" and ", " or "]), maybe_not, tests).map("".join)
    return st.one_of(st.just(""), joined(" where (", st.one_of(tests, both), ")"))


objects = st.one_of(st.just(""), joined(" ", globs), joined(" ", listed(globs)))
visits = joined("visited", objects, clause(visit_tests))
orders = joined("purchased", objects, clause(order_tests))
unions = st.one_of(
    joined("any event", clause(text_tests("shared"))),
    joined("any of (visited", objects, ", purchased", objects, clause(order_tests), ")", clause(text_tests("shared"))),
    joined("any of (visited", objects, ", visited", objects, ")"),
)
timed = st.one_of(visits, visits, orders, unions)

# --- sequences ------------------------------------------------------------------------------------------------

gaps = st.one_of(st.just(""), st.just(""), joined(" within ", durations))
sequence_events = st.one_of(visits, orders, unions, st.sampled_from(["visited", "purchased", "any event"]))
middle_steps = st.one_of(
    joined(" then ", sequence_events, gaps),
    joined(" then ", sequence_events, gaps),
    joined(" then not ", sequence_events, " then ", sequence_events, gaps),
)
final_waits = st.one_of(
    st.just(""),
    joined(" then not ", sequence_events),
    joined(" then not ", sequence_events, " within ", durations),
    joined(" then not ", sequence_events, " within ", durations, " then not ", sequence_events, gaps),
)
shared_by_all = st.sampled_from(["shared", "day", "week", "month", "shared, day"])
absences = st.one_of(
    joined(" without ", sequence_events),
    joined(" without ", sequence_events, " within ", durations, " before"),
    joined(" without any ", st.one_of(visits, orders)),
)


def _sequence(parts: tuple[str, list[str], str, str, str, str, bool, str]) -> str:
    first, steps, waits, length, same, without, same_first, window = parts
    last_wait = waits.rpartition(" then not ")[2]
    waits_itself = any(" within " in wait for wait in waits.split(" then not ")[1:])
    ends = [] if waits_itself or not length else [f" all within {length}"]
    groups = [f" with same {same}"] if same else []
    clauses = [*groups, *ends, without] if same_first else [*ends, without, *groups]
    bounded = (last_wait if waits else steps[-1]).split(" within ")[-1] in DURATIONS and not "".join(clauses)
    # behind a bare `within 1h` a window that begins with `after` or `before` reads as an anchored one
    text = first + "".join(steps) + waits + "".join(clauses)
    return text if bounded and window.startswith((" after", " before")) else text + window


chains = st.tuples(
    sequence_events,
    st.lists(middle_steps, min_size=1, max_size=3),
    final_waits,
    st.one_of(st.just(""), durations),
    st.one_of(st.just(""), shared_by_all),
    st.one_of(st.just(""), absences),
    st.booleans(),
    event_windows,
).map(_sequence)
sequences = st.one_of(
    chains,
    chains,
    joined(sequence_events, " without ", sequence_events, " within ", durations, " before", event_windows),
    joined(
        visits, " without any ", orders, st.sampled_from(["", " with same shared", " with same day"]), event_windows
    ),
    joined(
        orders, " then ", maybe_not, orders, st.sampled_from(["", " within 7d"]),
        " with same ", st.sampled_from(["amount", "weight", "gift", "due", "product, gift"]), event_windows,
    ),
)  # fmt: skip

# --- history --------------------------------------------------------------------------------------------------

plans = st.sampled_from(['"free"', '"team"', '"pro"'])
owners = st.sampled_from(['"a"', '"A"', '""', '"é"'])


def history_tests(name: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        joined(name, " ", equality, " ", values),
        joined(name, " is ", st.sampled_from(["known", "unknown"])),
        joined(name, " changed", event_windows),
        joined(name, " changed to ", values, event_windows),
        joined(name, " changed from ", values, event_windows),
        joined(name, " changed from ", values, " to ", values, event_windows),
        joined(name, " was ", values, " ", window_durations, " ago"),
        joined(name, " was ever ", values),
    )


histories = st.one_of(
    history_tests("plan", plans),
    history_tests("owner", owners),
    history_tests("seats", small.map(str)),
    joined("seats ", compare_ops, " ", small.map(str)),
    joined("owner ", equality, " country", folding),
    joined(st.sampled_from(["next call", "trial end"]), " changed", event_windows),
    joined("spent ", compare_ops, " ", decimals),
    joined("anniversary of ", st.sampled_from(["next call", "trial end"]), " ", moving_windows),
)
members = st.one_of(
    joined("in sample ", st.sampled_from(["1", "12.5", "50", "99.999", "100"]), "% of ", words),
    joined("anniversary of ", st.sampled_from(["signup date ", "renewal date "]),
           date_windows.filter(lambda w: not w.startswith("within"))),
)  # fmt: skip

# --- tests --------------------------------------------------------------------------------------------------

counts = st.one_of(
    st.just(""),
    joined(" ", compare_ops, " ", small.map(str)),
    joined(" ", compare_ops, " ", small.map(str), " times"),
    st.tuples(small, small).map(lambda p: f" {min(p)} to {max(p)} times"),
)
at_least = joined(st.sampled_from([" >= ", " > "]), small.map(str))
event_tests = st.one_of(
    joined(timed, counts, event_windows),
    joined(timed, counts, event_windows),
    joined("deal", clause(deal_tests), counts),
    joined(
        visits,
        at_least,
        " with same ",
        st.sampled_from(["path", "device", "day", "path, day", "seconds", "week"]),
        event_windows,
    ),
    joined(orders, at_least, " with same ", st.sampled_from(["amount", "weight", "gift", "month"]), event_windows),
    joined(timed, at_least, " within ", durations, burst_windows),
    joined(visits, at_least, " within ", durations, " with same path", event_windows),
    st.tuples(
        timed,
        counts,
        st.integers(1, 4),
        st.integers(0, 3),
        st.sampled_from(["days", "weeks", "months", "periods of 10d"]),
    ).map(lambda p: f"{p[0]}{p[1]} in at least {p[2]} of last {p[2] + p[3]} {p[4]}"),
)

numeric_aggregates = st.one_of(
    joined("count(", timed, event_windows, ")"),
    joined(
        st.sampled_from(["sum", "min", "max", "median", "first", "last", "distinct"]),
        "(seconds of ",
        visits,
        event_windows,
        ")",
    ),
    joined(
        st.sampled_from(["sum", "avg", "min", "max", "median", "first", "last"]),
        "(amount of ",
        orders,
        event_windows,
        ")",
    ),
    joined(
        "percentile(", st.sampled_from(["1", "25", "75", "99.9", "100"]), ", amount of ", orders, event_windows, ")"
    ),
    joined(
        "distinct(",
        st.sampled_from(["path", "device", "day", "week", "month", "shared"]),
        " of ",
        visits,
        event_windows,
        ")",
    ),
    st.sampled_from(["sum(size of deal)", "max(size of deal)", "distinct(owner of deal)", "count(deal)"]),
    st.sampled_from(["lead score", "balance", "company.employees", "fit", "seats", "spent"]),
)
numbers = st.recursive(
    st.one_of(numeric_aggregates, numeric_aggregates, decimals),
    lambda inner: joined("(", inner, st.sampled_from([" + ", " - "]), inner, ")"),
    max_leaves=3,
)
instants = st.one_of(
    st.sampled_from(["signup date", "renewal date", "next call", "trial end"]),
    joined(st.sampled_from(["first(", "last("]), timed, event_windows, ")"),
    joined(st.sampled_from(["max", "min", "last"]), "(due of ", orders, ")"),
    joined(st.sampled_from(["first", "last"]), "(day of ", timed, ")"),
)
value_tests = st.one_of(
    text_tests("country"),
    text_tests("city"),
    text_tests("company.industry"),
    joined("country ", equality, " city", folding),
    joined("lead score ", compare_ops, " ", small.map(str)),
    joined("lead score ", maybe_not, "in ", listed(small.map(str))),
    joined("balance ", compare_ops, " ", decimals),
    joined("ratio ", compare_ops, " ", decimals),
    joined("ratio ", compare_ops, " ", st.sampled_from(["balance", "lead score", "0.1"])),
    joined("2 * ", numeric_aggregates, " ", compare_ops, " ", numbers),
    joined(numbers, " + 1 ", compare_ops, " ", numbers),
    joined(instants, " ", compare_ops, " ", instants),
    joined(instants, " ", date_windows),
    joined(instants, " is ", st.sampled_from(["known", "unknown"])),
    joined(st.sampled_from(["first", "last"]), "(", orders, event_windows, ") has (", order_tests, ")"),
    joined(
        st.sampled_from(["first", "last"]),
        "(device of ",
        visits,
        event_windows,
        ') = "',
        st.sampled_from(["mobile", "tablet"]),
        '"',
    ),
    joined(st.sampled_from(["first", "last"]), "(path of ", visits, event_windows, ") ", equality, " ", words),
    joined("last(gift of ", orders, event_windows, ")"),
    joined("tags has ", words),
    joined("tags has any of ", listed(words)),
    joined("tags has all of ", listed(words)),
    joined("home within ", st.sampled_from(["1", "50", "600"]), " km of (52.52, 13.405)"),
    st.sampled_from(
        [
            "subscribed",
            "everyone",
            'stage = "lead"',
            'stage in ("lead", "customer")',
            'stage != "customer"',
            'in list "vips"',
            "tags is known",
            "home is unknown",
            'stage = "LEAD" ignoring case',
        ]
    ),
)
# a bare number on the left is refused by nobody, but says little; aggregates of floats are refused
tests = st.one_of(event_tests, value_tests, sequences, histories, members)
rules = combined(tests, 4)

SCORE = """\
score fit:
    +20 if country in ("DE", "a")
    +1.5 per visited in 30d, at most 4
    +2 per purchased
    +3 if seats >= 2
    -15 if not visited in 60d
"""

# --- worlds -------------------------------------------------------------------------------------------------

_offsets = [
    0,
    *DURATIONS.values(),
    28 * 86400,
    31 * 86400,
    59 * 86400,
    60 * 86400,
    365 * 86400,
    10 * 3600,
    34 * 3600,
    -86400,
    -3600,
]
instants_at = st.builds(
    lambda offset, micro: (NOW - timedelta(seconds=offset, microseconds=micro)).isoformat().replace("+00:00", "Z"),
    st.sampled_from(_offsets),
    st.sampled_from([-1, 0, 0, 1]),
)
_text = st.none() | st.sampled_from(WORDS)
_amounts = st.none() | st.sampled_from(
    ["0.10", "0.20", "0.30", "10.01", "-5.00", "99.99", "9999999999.99", "abc", "1.005"]
)
_whole = st.none() | st.integers(0, 4) | st.sampled_from([2**63 - 1, -(2**63) + 1, "3", "x"])
_floats = st.none() | st.sampled_from([0.0, -0.0, 0.1, 0.3, 10.01, 1e300])
_days = st.none() | days | st.sampled_from(["2026-02-30", "2024-02-29", "2025-04-01", "2020-12-31"])

visit_rows = st.fixed_dictionaries(
    {
        "id": st.sampled_from([*"abcd", "anon"]),
        "at": instants_at,
        "delivery": st.none() | st.sampled_from(["d1", "d2", "d3"]),
        "path": _text,
        "seconds": _whole,
        "device": st.sampled_from([None, "mobile", "desktop", "tablet", "fridge"]),
        "shared": _text,
    }
)
order_rows = st.fixed_dictionaries(
    {
        "id": st.sampled_from([*"abcd", "anon"]),
        "at": instants_at,
        "product": _text,
        "amount": _amounts,
        "weight": _floats,
        "gift": st.none() | st.booleans(),
        "due": st.none() | instants_at,
        "shared": _text,
    }
)
plan_rows = st.fixed_dictionaries(
    {
        "id": st.sampled_from("abcd"),
        "at": st.none() | instants_at,
        "plan": st.sampled_from([None, "free", "team", "pro", "gone"]),
        "seats": _whole,
    }
)
owner_rows = st.fixed_dictionaries(
    {
        "id": st.sampled_from("abcd"),
        "at": instants_at,
        "owner": st.sampled_from([None, "a", "A", "", "é"]),
        "call": st.none() | instants_at,
        "trial_end": _days,
        "spent": _amounts,
    }
)
people = st.fixed_dictionaries(
    {
        "country": _text,
        "city": _text,
        "lead_score": _whole,
        "balance": _amounts,
        "ratio": _floats,
        "subscribed": st.none() | st.booleans(),
        "stage": st.sampled_from([None, "subscriber", "lead", "customer", "gone"]),
        "signup_date": st.none() | instants_at | st.sampled_from(["2024-02-29T12:00:00Z", "2024-02-28T23:30:00Z"]),
        "renewal_date": _days,
        "lat": st.sampled_from([None, 52.52, 48.1, 91.0]),
        "lon": st.sampled_from([None, 13.405, 11.6]),
        "tags": st.none() | st.lists(st.sampled_from(WORDS), max_size=3),
        "company_id": st.none() | st.sampled_from(["x", "y", "z"]),
    }
)
worlds: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "zone": st.sampled_from(ZONES),
        "contacts": st.fixed_dictionaries(dict.fromkeys("abcde", people)),
        "tables": st.fixed_dictionaries(
            {
                "visits": st.lists(visit_rows, min_size=4, max_size=16),
                "orders": st.lists(order_rows, min_size=3, max_size=12),
                "deals": st.lists(
                    st.fixed_dictionaries({"id": st.sampled_from("abc"), "size": _whole, "owner": _text}), max_size=4
                ),
                "plans": st.lists(plan_rows, max_size=10),
                "owners": st.lists(owner_rows, max_size=8),
                # Made anew each time: a test may write to its world.
                "companies": st.builds(
                    lambda: [{"company_id": "x", "industry": "DE", "employees": 3}, {"company_id": "y"}]
                ),
                "aliases": st.builds(lambda: [{"alias": "anon", "id": "a"}]),
                "members": st.builds(
                    lambda: [{"list": "vips", "id": "a"}, {"list": "vips", "id": "c"}, {"list": "others", "id": "b"}]
                ),
            }
        ),
    }
)
