"""Rule files as git remembers them. Nothing is checked out: trees and blobs are read where git keeps them."""

from __future__ import annotations

import os
import posixpath
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from segdsl.cli.common import Stop

Files = dict[str, bytes]  # the names that diagnostics will print, `HEAD~1:segments/leads.seg`, and what they hold
_FILE = re.compile(rb"100\d{3} blob ([0-9a-f]+)\t(.*)", re.DOTALL)  # no links, no submodules


@dataclass(frozen=True)
class Repository:
    """The work tree that holds a project. `folder` is the project's, `top` the work tree's."""

    folder: Path
    top: Path

    @classmethod
    def around(cls, folder: Path, wanted: str) -> Repository:
        """The repository of a project's folder; ends the command if there is none, or no git, to read `wanted`."""
        done = _git(folder, "rev-parse", "--show-toplevel", wanted=wanted)
        if done.returncode:
            raise Stop(
                f"no such file or folder: {wanted}",
                f"nor can it be a git revision: {folder.resolve()} is in no git work tree",
            )
        return cls(folder, Path(_text(done.stdout).rstrip("\n")))

    def commit(self, revision: str) -> str:
        """The id of a revision's commit; ends the command if there is none."""
        found = self._resolve(f"{revision}^{{commit}}")
        if found is None:
            raise Stop(
                f"no such file, folder or git revision: {revision}",
                "write a path of .seg files, or a revision like HEAD~1, a tag, a branch, HEAD:segments/leads.seg",
            )
        return found

    def rules(self, revision: str, patterns: Iterable[str]) -> Files:
        """The rule files of the project at a revision: those that the patterns of `segdsl.yml` fit."""
        # relative to the top, and without `..`; what leads outside the work tree fits nothing in it
        folder, top = self.folder.resolve(), self.top.resolve()
        parts = [Path(os.path.relpath(folder / pattern, top)).parts for pattern in patterns]
        commit = self.commit(revision)
        return self._read(revision, commit, "", lambda path: any(_fits(path.split("/"), each) for each in parts))

    def place(self, revision: str, path: str) -> Files | None:
        """The rule file, or those in the folder, at a path of a revision (`REV:path`); None if nothing is there."""
        self.commit(revision)
        found = self._resolve(f"{revision}:{path}")
        if found is None:
            return None
        if _text(self._output("cat-file", "-t", found)).strip() == "tree":
            return self._read(revision, found, path.rstrip("/"), lambda name: name.endswith(".seg"))
        return self._blobs({f"{revision}:{path}": found})

    def inside(self, path: Path) -> str | None:
        """A path as `REV:` takes it, from the top; None if it lies outside the work tree."""
        try:
            inside = path.resolve().relative_to(self.top.resolve())
        except ValueError:
            return None
        return "" if inside == Path() else inside.as_posix()

    def _resolve(self, name: str) -> str | None:
        done = _git(self.folder, "rev-parse", "--verify", "--quiet", "--end-of-options", name, wanted=name)
        return None if done.returncode else _text(done.stdout).strip()

    def _read(self, revision: str, tree: str, base: str, wanted: Callable[[str], bool]) -> Files:
        listed = self._output("ls-tree", "-r", "-z", "--full-tree", tree)
        found: dict[str, str] = {}
        for match in map(_FILE.fullmatch, listed.split(b"\0")):
            path = _text(match[2]) if match else ""
            if match and wanted(path):
                found[f"{revision}:{posixpath.join(base, path)}"] = _text(match[1])
        return self._blobs(found)

    def _blobs(self, ids: dict[str, str]) -> Files:
        """What blobs hold, all of them from one process."""
        asked = "".join(f"{blob}\n" for blob in ids.values()).encode()
        data = self._output("cat-file", "--batch", input=asked)
        files: Files = {}
        at = 0
        for name in ids:
            line = data.index(b"\n", at)
            if data[at:line].endswith(b" missing"):
                raise Stop(f"git knows {name} and does not have it", "is this a partial clone? fetch it first")
            size = int(data[at:line].split()[2])
            files[name] = data[line + 1 : line + 1 + size]
            at = line + 1 + size + 1
        return files

    def _output(self, *arguments: str, input: bytes = b"") -> bytes:
        done = _git(self.folder, *arguments, wanted=arguments[-1], input=input)
        if done.returncode:
            raise Stop(f"git {arguments[0]} failed: {_text(done.stderr).strip()}")
        return done.stdout


def _git(folder: Path, *arguments: str, wanted: str, input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *arguments], cwd=folder, input=input, capture_output=True, check=False)
    except FileNotFoundError:
        raise Stop(f"no such file or folder: {wanted}", "to read it as a git revision, git must be installed") from None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _fits(path: Sequence[str], pattern: Sequence[str]) -> bool:
    """Whether the parts of a path fit those of a pattern, as `Path.glob` would say."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_fits(path[skipped:], pattern[1:]) for skipped in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _fits(path[1:], pattern[1:])
