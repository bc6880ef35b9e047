"""The guides are true from the first block to the last: one with a title is a file, a command prints what is shown."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from segdsl.catalog import load_text
from segdsl.cli.main import cli

ROOT = Path(__file__).resolve().parents[1]
SAAS = ROOT / "examples" / "saas"
# The page, and the project in whose folder its reader is: None where the page itself makes one.
GUIDES = {"follow": None, "history": SAAS, "warehouse": SAAS}
BLOCK = re.compile(r"^```(\w+)(?: title=\"(.+?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# In place of this line the reader of a page is told to write another one.
DATABASE = {"warehouse": ("database: ./data", "database: duckdb:///saas.duckdb")}
LEAST = {"title", "console", "python", "yaml"}  # kinds of blocks, each of which is on some page


def blocks(page: str) -> list[tuple[str, str, str]]:
    """Language, title ("" if there is none) and text of each block."""
    return BLOCK.findall((ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8"))


@pytest.fixture(params=GUIDES)
def guide(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A page, in a folder of its own."""
    page: str = request.param
    folder = tmp_path / "project"
    start = GUIDES[page]
    if start is None:
        folder.mkdir()
    else:
        shutil.copytree(start, folder)
    if page in DATABASE:
        text = (folder / "segdsl.yml").read_text(encoding="utf-8")
        assert DATABASE[page][0] in text
        (folder / "segdsl.yml").write_text(text.replace(*DATABASE[page]), encoding="utf-8")
    monkeypatch.chdir(folder)
    return page


def shown(text: str) -> list[tuple[str, str]]:
    """The commands of a block, and what each prints."""
    return re.findall(r"^\$ segdsl (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)


def test_a_guide_is_true(guide: str) -> None:
    for language, title, text in blocks(guide):
        if title:
            Path(title).write_text(text, encoding="utf-8")
        elif language == "python":
            exec(compile(text, f"{guide}.md", "exec"), {})
        elif language == "yaml":
            whole = text if text.startswith("version:") else f"version: 1\ncontacts: {{table: c, key: id}}\n{text}"
            catalog, found = load_text(whole, "segdsl.yml", Path.cwd())
            assert catalog is not None, found
        for command, output in shown(text) if language == "console" else ():
            done = CliRunner().invoke(cli, shlex.split(command))
            assert done.exit_code == 0, done.stderr
            begin, dots, _ = output.partition("…\n")
            assert done.stdout.startswith(begin) if dots else done.stdout == output, done.stdout


def test_there_is_something_to_run() -> None:
    found = [block for page in GUIDES for block in blocks(page)]
    kinds = {language for language, _, _ in found} | {"title" for _, title, _ in found if title}
    assert kinds >= LEAST
    commands = [command for language, _, text in found if language == "console" for command, _ in shown(text)]
    assert len(commands) >= 5
