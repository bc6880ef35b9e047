"""The wheel holds all that a user needs: grammar, pages, and a command that runs."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_wheel_runs_in_a_clean_environment(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path / "dist"), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "segdsl/docs/errors/SEG0203.md" in names
    assert "segdsl/grammar/segdsl.lark" in names
    assert not [name for name in names if name.startswith("tests/")]

    place = tmp_path / "env"
    venv.create(place, symlinks=True)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(place), "platbase": str(place)}))
    zipfile.ZipFile(wheel).extractall(site)  # a pure wheel is installed by unpacking it
    # The dependencies are this environment's own; a plain path line does not process the editable install in there.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    (project / "segdsl.yml").write_text(
        "version: 1\ndatabase: ./data\ncontacts: {table: contacts, key: contact_id, attributes: {country: string}}\n"
    )
    (project / "data" / "contacts.csv").write_text("contact_id,country\nc1,DE\nc2,FR\n")
    python = place / "bin" / "python"

    def segdsl(*arguments: str) -> str:
        command = [str(python), "-I", "-m", "segdsl", *arguments]
        return subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout

    where = subprocess.run(
        [str(python), "-I", "-c", "import segdsl; print(segdsl.__file__)"], cwd=project, capture_output=True, text=True
    )
    assert where.stdout.startswith(str(site))
    assert segdsl("run", 'country = "DE"', "--format", "csv") == "segment,contact\nrule,c1\n"
    assert segdsl("explain-code", "SEG0203").startswith("# SEG0203")
