"""The prompt on a real (pseudo-)terminal: keys in, what the screen shows out. Waits are for texts, never for times."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from tests.support.terminal import ALT_ENTER, CTRL_C, CTRL_D, ENTER, TAB, UP, Terminal, screen
from tests.test_repl_session import PROJECT, RULES, SLOW

ROOT = Path(__file__).resolve().parents[1]
PROMPT = "segdsl 2026-03-09>"
Start = Callable[..., Terminal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the prompt over 3 contacts, in a database whose `visited` takes hours to count."""
    (tmp_path / "segments").mkdir()
    (tmp_path / "segdsl.yml").write_text(PROJECT.replace("./data", "duckdb:///slow.duckdb"))
    (tmp_path / "segments" / "a.seg").write_text(RULES)
    with duckdb.connect(str(tmp_path / "slow.duckdb")) as connection:
        connection.execute(SLOW)
    running: list[Terminal] = []

    def begin(*options: str, env: dict[str, str] | None = None) -> Terminal:
        # The terminal here does not answer questions about its cursor.
        given = {"XDG_STATE_HOME": str(tmp_path / "state"), "PROMPT_TOOLKIT_NO_CPR": "1", **(env or {})}
        command = [sys.executable, "-m", "segdsl", "repl", "--now", "2026-03-09", *options]
        running.append(Terminal(command, tmp_path, given))
        return running[-1]

    yield begin
    for terminal in running:
        terminal.__exit__(None, None, None)


def test_a_rule_is_typed_and_answered(start: Start) -> None:
    terminal = start()
    terminal.wait("segdsl 0", "Ctrl-D leaves", PROMPT)
    terminal.type(f'country = "DE"{ENTER}')
    terminal.wait("3 of 3 contacts (100.0%)  at 2026-03-09T00:00:00Z, ", "  0, 1, 2", PROMPT)
    terminal.type(f"cuntry is known{ENTER}")
    terminal.wait("error[SEG0203]", "--> <rule>:1:1", "1 | cuntry is known", "^^^^^^ not in the catalog",
                  "help: did you mean `country`?", PROMPT)  # fmt: skip
    terminal.type(f".segments{ENTER}")
    terminal.wait("germans  3  ▇", "3 contacts at", PROMPT)
    terminal.type(f".now 2026-03-10T10:00{ENTER}")
    terminal.wait("now is 2026-03-10T09:00:00Z", "segdsl 2026-03-10T09:00:00Z>")
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    assert "Traceback" not in terminal.text


def test_completion(start: Start) -> None:
    terminal = start()
    terminal.wait(PROMPT)
    # one completion is written at once; the screen is drawn by its changes, so only what is new is waited for
    terminal.type("countr")
    terminal.wait("countr")
    terminal.type(TAB)
    terminal.wait("y")
    terminal.type(f' = "DE"{ENTER}')
    terminal.wait("3 of 3 contacts", PROMPT)
    # several are shown in a menu, with what they are; Tab goes through them, Enter takes one and sends nothing
    terminal.type("in")
    terminal.wait("in")
    terminal.type(f" {TAB}")
    terminal.wait("in segment", "keyword")
    terminal.type(TAB)
    terminal.wait("segment")
    terminal.type(f"{ENTER} germ")
    terminal.wait("germ")
    terminal.type(TAB)
    terminal.wait("ans")
    terminal.type(ENTER)
    terminal.wait("3 of 3 contacts", PROMPT)
    # list names come from the database
    terminal.type("in list")
    terminal.wait("in list")
    terminal.type(f" {TAB}")
    terminal.wait('"x"')
    terminal.type(ENTER)
    terminal.wait("1 of 3 contacts", PROMPT)
    terminal.type(CTRL_D)
    assert terminal.end() == 0


def test_several_lines(start: Start) -> None:
    terminal = start()
    terminal.wait(PROMPT)
    terminal.type(f"country in ({ENTER}")
    terminal.wait("...")
    terminal.type(f'"DE"){ENTER}')
    terminal.wait("3 of 3 contacts", PROMPT)
    terminal.type(f'country = "DE"{ALT_ENTER}')
    terminal.wait("...")
    terminal.type(f"and age > 5{ENTER}")
    terminal.wait("0 of 3 contacts", PROMPT)
    terminal.type(f'segment mine "My own":{ENTER}')
    terminal.wait("...")
    terminal.type(f"age = 1 and{ENTER}")
    terminal.wait("...")
    terminal.type(f'country = "DE"{ENTER}')
    terminal.wait("mine: 3 of 3 contacts", PROMPT)
    # an empty line ends what could go on
    terminal.type(f"age = 1 and{ENTER}")
    terminal.wait("...")
    terminal.type(ENTER)
    terminal.wait("error[SEG0101]", PROMPT)
    terminal.type(f".save mine segments/b.seg{ENTER}")
    terminal.wait("saved `mine` to segments/b.seg", PROMPT)
    terminal.type(f".quit{ENTER}")
    assert terminal.end() == 0


def test_interrupting(start: Start) -> None:
    terminal = start()
    terminal.wait(PROMPT)
    # at the prompt Ctrl-C empties the line
    terminal.type("nonsense")
    terminal.wait("nonsense")
    terminal.type(CTRL_C)
    terminal.wait(PROMPT)
    # during a question it stops the question
    for _ in range(2):
        terminal.type(f"visited >= 3{ENTER}")
        terminal.wait("asking the database; Ctrl-C stops")
        terminal.type(CTRL_C)
        terminal.wait("stopped", PROMPT)
    terminal.type(f"everyone{ENTER}")
    terminal.wait("3 of 3 contacts", PROMPT)
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    assert "Traceback" not in terminal.text


def test_history(start: Start, tmp_path: Path) -> None:
    terminal = start()
    terminal.wait(PROMPT)
    terminal.type(f"age = 1{ENTER}")
    terminal.wait("3 of 3 contacts", PROMPT)
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    path = tmp_path / "state" / "segdsl" / "history"
    assert "+age = 1" in path.read_text() and path.stat().st_mode & 0o077 == 0
    again = start()
    again.wait(PROMPT)
    again.type(UP)
    again.wait("age = 1")
    again.type(ENTER)
    again.wait("3 of 3 contacts", PROMPT)
    # a folder that cannot be made is no reason not to begin
    (tmp_path / "file").write_text("")
    third = start(env={"XDG_STATE_HOME": str(tmp_path / "file")})
    third.wait(PROMPT)
    third.type(f"everyone{ENTER}{CTRL_D}")
    third.wait("3 of 3 contacts")
    assert third.end() == 0


COLOR = re.compile(r"\x1b\[[0-9;]*[1-9][0-9;]*m")


@pytest.mark.parametrize(
    ("options", "env", "colors"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--no-color",), {}, False),
        (("--color",), {"NO_COLOR": "1"}, True),
    ],
)
def test_colors(start: Start, options: tuple[str, ...], env: dict[str, str], colors: bool) -> None:
    terminal = start(*options, env=env)
    terminal.wait(PROMPT)
    terminal.type(f"cuntry{ENTER}")
    terminal.wait("did you mean", PROMPT)
    terminal.type(f"everyone{ENTER}")
    terminal.wait("3 of 3 contacts", PROMPT)
    terminal.type(f".sql{ENTER}")
    terminal.wait("SELECT", PROMPT)
    terminal.type(CTRL_D)
    assert terminal.end() == 0
    for shown in ("error[SEG0203]", "3 of 3 contacts", "SELECT"):
        assert shown in terminal.raw
        assert bool(re.search(COLOR.pattern + re.escape(shown), terminal.raw)) is colors, shown


# --- the session in the documentation -------------------------------------------------------------------------


def masked(lines: list[str]) -> list[str]:
    """Lines without the time that something took."""
    return [re.sub(r", [0-9.]+ m?s$", "", line) for line in lines if line]


def test_the_session_in_the_documentation(tmp_path: Path) -> None:
    """Typed anew, it looks the same."""
    page = (ROOT / "docs" / "repl.md").read_text(encoding="utf-8")
    command, *shown = page.split("```text\n$ segdsl ")[1].split("\n```")[0].splitlines()
    env = {"XDG_STATE_HOME": str(tmp_path), "PROMPT_TOOLKIT_NO_CPR": "1", "NO_COLOR": "1", "COLUMNS": "120"}
    line = [sys.executable, "-m", "segdsl", *command.split()]
    with Terminal(line, ROOT / "examples" / "saas", env, columns=120) as terminal:
        for at, each in enumerate(shown):
            typed = re.match(r"(segdsl [0-9TZ:-]+>|\s+\.\.\.)\s+(.*)", each)
            if typed is None:
                continue
            terminal.wait(typed[1].strip())
            terminal.type(typed[2] + ENTER)
            # the next prompt is waited for behind the last line of the answer
            if at + 1 < len(shown) and not shown[at + 1].lstrip().startswith("..."):
                terminal.wait(shown[at + 1].split(",")[0])
        terminal.wait(">")
        terminal.type(CTRL_D)
        assert terminal.end() == 0
        assert masked(screen(terminal.raw))[:-1] == masked(shown)
