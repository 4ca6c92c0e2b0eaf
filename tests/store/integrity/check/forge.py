"""Makes git objects of any kind, well-formed or not, on top of a good ledger: no git command would write most of them.

Objects are written as loose files by hand, so a proposal costs no process, and every test shares one repository:
what is proposed has no ref.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from ledger.hashing import hash_bytes
from ledger.model.document import dump
from ledger.model.entries import Evaluation, Note
from ledger.model.ids import new_id
from ledger.model.paths import evaluation_path, note_path, run_path
from ledger.model.record import Record
from ledger.repository.repository import Repository
from tests.conftest import ROOT, git_in, make_repository

Files = dict[bytes, tuple[bytes, str]]
"""Path to mode and object."""
REGULAR = b"100644"


class Forge:
    """Writes objects into the repository of a good ledger.

    Args:
        folder: its repository.
        now: seconds since 1970 that commits state.
    """

    def __init__(self, folder: Path, now: int) -> None:
        self.folder = folder
        self.objects = folder / ".git" / "objects"
        self.now = now
        self.base = git_in(folder, "rev-parse", "ledger").strip()
        self.made = 0
        self.run_id = next(iter(self._ids("runs")))
        self.note_id = next(iter(self._ids("notes")))

    def _ids(self, kind: str) -> list[str]:
        names = [path.decode() for path in self.files() if path.startswith(kind.encode())]
        return sorted({name.split("/")[4].removesuffix(".json") for name in names})

    def write(self, kind: str, content: bytes) -> str:
        """Write one object, whatever it holds, and return its id."""
        data = f"{kind} {len(content)}\0".encode() + content
        name = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        path = self.objects / name[:2] / name[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(data, 1))
        return name

    def blob(self, content: bytes) -> str:
        return self.write("blob", content)

    def files(self, commit: str | None = None) -> Files:
        """Return the tree of a commit, by default of the good ledger."""
        out = subprocess.run(
            ["git", "ls-tree", "-r", "-z", commit or self.base], cwd=self.folder, capture_output=True, check=True
        ).stdout
        lines = (line.partition(b"\t") for line in out.split(b"\0")[:-1])
        return {path: (facts.split()[0], facts.split()[2].decode()) for facts, _, path in lines}

    def replaced(self, tip: str, folder: str, name: str, tree: str) -> str:
        """Write a folder of a commit with another tree under one of its names."""
        entries = self.top(f"{tip}:{folder}")
        return self.raw_tree((known, mode, tree if known == name.encode() else oid) for known, mode, oid in entries)

    def top(self, tree: str | None = None) -> list[tuple[bytes, bytes, str]]:
        """Return the names, modes and objects at the top of the good ledger, or of another tree."""
        lines = git_in(self.folder, "ls-tree", tree or self.base).splitlines()
        facts = (line.replace("\t", " ").split(" ") for line in lines)
        return [(name.encode(), mode.lstrip("0").encode(), oid) for mode, _, oid, name in facts]

    def tree(self, files: Files) -> str:
        """Write the trees of files; names are what stands between slashes, however odd."""
        entries: list[tuple[bytes, bytes, str]] = []
        folders: dict[bytes, Files] = {}
        for path, (mode, name) in files.items():
            first, slash, rest = path.partition(b"/")
            if slash:
                folders.setdefault(first, {})[rest] = (mode, name)
            else:
                entries.append((first, mode, name))
        entries += [(name, b"40000", self.tree(inner)) for name, inner in folders.items()]
        return self.raw_tree(sorted(entries, key=lambda one: one[0] + (b"/" if one[1] == b"40000" else b"")))

    def raw_tree(self, entries: Iterable[tuple[bytes, bytes, str]]) -> str:
        """Write one tree exactly as given."""
        return self.write(
            "tree", b"".join(b"%b %b\0%b" % (mode, name, bytes.fromhex(oid)) for name, mode, oid in entries)
        )

    def commit(self, tree: str, parents: Sequence[str] = (), *, seconds: int | str | None = None) -> str:
        """Write a commit, by default on top of nothing."""
        when = self.now if seconds is None else seconds
        stamp = f"Eve <eve@example.com> {when} +0000"
        lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents), f"author {stamp}", f"committer {stamp}"]
        self.made += 1
        return self.write("commit", "\n".join([*lines, "", f"proposal {self.made}\n"]).encode())

    def put(
        self,
        changes: Mapping[str, bytes | tuple[bytes, str] | None],
        parent: str | None = None,
        *,
        merged: Sequence[str] = (),
        seconds: int | str | None = None,
    ) -> str:
        """Commit files on top of a commit: content, mode and object, or none to take one away."""
        parent = parent or self.base
        files = self.files(parent)
        for name, content in changes.items():
            path = os.fsencode(name)
            if content is None:
                files = {one: kept for one, kept in files.items() if one != path and not one.startswith(path + b"/")}
            else:
                files[path] = content if isinstance(content, tuple) else (REGULAR, self.blob(content))
        return self.commit(self.tree(files), [parent, *merged], seconds=seconds)

    def content(self, path: str) -> bytes:
        return Repository.discover(self.folder).read_object(f"{self.base}:{path}")

    def run(self, edit: Callable[[dict[str, Any]], object] | None = None, **side: bytes) -> dict[str, bytes]:
        """Return the files of a good run, after an edit of its record; `side` are files beside it.

        What the edit leaves a record of the format is written as ledger writes it, anything else as plain JSON.
        """
        old = run_path(self.run_id)
        record = json.loads(self.content(f"{old}/record.json"))
        record["id"] = self.new_id()
        record["params"] = {"values": {"lr": self.made}}
        moment = datetime.fromtimestamp(self.now, UTC).isoformat().replace("+00:00", "Z")
        record["timing"] |= {"started_at": moment, "ended_at": moment, "recorded_at": moment}
        record["command"] = ["train.py"]
        record["code"] |= {"dirty": False}
        record["code"].pop("patch", None)
        if edit is not None:
            edit(record)
        folder = run_path(record["id"]) if isinstance(record.get("id"), str) and "/" not in record["id"] else "runs/x"
        files = {f"{folder}/{name.replace('__', '/').replace('_dot_', '.')}": data for name, data in side.items()}
        return {
            f"{folder}/record.json": written(record, Record),
            f"{folder}/environment.json": self.environment(),
        } | files

    def environment(self) -> bytes:
        return self.content(f"{run_path(self.run_id)}/environment.json")

    def new_id(self, at: datetime | None = None) -> str:
        self.made += 1
        return new_id(at or datetime.fromtimestamp(self.now, UTC), self.made.to_bytes(4, "big"))

    def note(self, edit: Callable[[dict[str, Any]], object] | None = None) -> dict[str, bytes]:
        """Return the file of a good note, after an edit."""
        path = next(path.decode() for path in self.files() if path.startswith(b"notes/"))
        note = json.loads(self.content(path)) | {"id": self.new_id(), "noted_at": self.moment()}
        if edit is not None:
            edit(note)
        return {note_path(note["id"]): written(note, Note)}

    def evaluation(self, edit: Callable[[dict[str, Any]], object] | None = None) -> dict[str, bytes]:
        """Return the file of a good evaluation, after an edit."""
        path = next(path.decode() for path in self.files() if path.startswith(b"evaluations/"))
        evaluation = json.loads(self.content(path)) | {"id": self.new_id(), "evaluated_at": self.moment()}
        if edit is not None:
            edit(evaluation)
        return {evaluation_path(evaluation["id"]): written(evaluation, Evaluation)}

    def moment(self) -> str:
        return datetime.fromtimestamp(self.now, UTC).isoformat().replace("+00:00", "Z")

    def with_policy(self, text: str) -> str:
        """Return a good ledger with another policy."""
        return self.put({"policy.yaml": text.encode()})


def written(value: Any, kind: type[msgspec.Struct]) -> bytes:
    """Return a document as ledger writes it, or as plain JSON where it is none."""
    try:
        return dump(msgspec.convert(value, kind))
    except (msgspec.ValidationError, ValueError):
        return json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def named(data: bytes, file: str) -> dict[str, Any]:
    """Return how a record names a file beside it."""
    return {"file": file, "hash": hash_bytes(data), "bytes": len(data)}


class Proposed(NamedTuple):
    """What is proposed, and to what."""

    tip: str
    """Last commit."""
    since: str | None
    """What is known to be good."""
    ref: str = "refs/heads/ledger"
    """Branch that is to hold it."""


@cache
def good_ledger() -> Forge:
    """Return the forge of a good ledger, made once in a process."""
    folder = make_repository(Path(tempfile.mkdtemp(prefix="ledger-check-")) / "repo")
    (folder / "data.txt").write_text("1\n2\n")

    def ledger(*arguments: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "ledger", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    data = ("--dataset", "validation:digits@v1=data.txt")
    ledger("record", "--metric", "validation/accuracy=0.5", "--param", "lr=0.1", "--duration", "3", *data)
    run = git_in(folder, "ls-tree", "-r", "--name-only", "ledger", "runs/").split("/")[4]
    ledger("evaluate", run, "--metric", "test/accuracy=0.4")
    ledger("note", run, "a note")
    ledger("case", "add", "digits", "--input", "x", "--expect", "1")
    return Forge(folder, int(git_in(folder, "log", "-1", "--format=%ct", "ledger")))
