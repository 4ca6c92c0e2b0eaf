"""Remotes to sync with: a bare repository, its clones, and the same over HTTP with git's own server."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec

from ledger.model.document import dump, load
from ledger.model.ids import new_id
from ledger.model.paths import run_path
from ledger.model.record import Author, Record
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.branch.pending import Entry
from ledger.store.integrity.verify import verify
from ledger.store.sync.sync import sync
from ledger.store.sync.sync_result import Synced
from tests.benchmarks.ledgers import entry_of
from tests.conftest import git_in
from tests.store.branch.test_branch import NOW


def make_hub(folder: Path, *, object_format: str = "sha1") -> Path:
    """Make a bare repository that holds the code of a project, and no ledger."""
    hub, seed = folder / "hub.git", folder / "seed"
    git_in(folder, "init", "--quiet", "--bare", f"--object-format={object_format}", str(hub))
    git_in(folder, "init", "--quiet", f"--object-format={object_format}", str(seed))
    (seed / "train.py").write_text("print('training')\n")
    git_in(seed, "add", ".")
    git_in(seed, "commit", "--quiet", "--message", "Train")
    git_in(seed, "push", "--quiet", str(hub), "HEAD:main")
    return hub


def clone(hub: Path | str, folder: Path, *options: str, author: str = "Ada") -> Branch:
    """Clone a repository, as somebody who works in it."""
    git_in(folder.parent, "clone", "--quiet", *options, str(hub), str(folder))
    git_in(folder, "config", "user.name", author)
    return Branch.open(folder)


def share(ledger: Branch, folder: Path) -> tuple[Path, Branch]:
    """Give a repository a hub that holds its code and ledger; return the hub, and the ledger of a clone of it."""
    hub, worktree = folder / "hub.git", ledger.repository.worktree
    assert worktree is not None
    git_in(folder, "init", "--quiet", "--bare", str(hub))
    git_in(worktree, "remote", "add", "origin", str(hub))
    git_in(worktree, "push", "--quiet", "origin", "main")
    assert sync(ledger, timeout_seconds=60).safe
    other = clone(hub, folder / "other")
    assert sync(other, timeout_seconds=60).safe
    return hub, other


def made(number: int, author: str = "Ada") -> Entry:
    """Return an entry of its own for every number and author."""
    run_id = new_id(NOW, (number * 7919 + sum(author.encode()) * 104_729).to_bytes(4, "big"))
    who = Author(name=author, email=f"{author.lower()}@example.com")
    folder, sample = run_path(run_id), entry_of(number, NOW)
    beside = {path.split("/", 5)[5]: content for path, content in sample.files.items()}
    record = load(beside.pop("record.json"), Record, source="a sample")
    files = {f"{folder}/record.json": dump(msgspec.structs.replace(record, id=run_id, author=who))}
    files |= {f"{folder}/{name}": content for name, content in beside.items()}
    return Entry(id=run_id, files=files, message=f"run {number} of {author}\n", author=who, made_at=NOW)


def held(repository: Path, ref: str = "ledger") -> list[str]:
    """Return the runs on a branch, each as often as it is there."""
    out = git_in(repository, "ls-tree", "-r", "--name-only", ref).splitlines()
    return sorted(path.split("/")[-2] for path in out if path.endswith("/record.json"))


def added(repository: Path, ref: str = "ledger") -> list[str]:
    """Return every file of a run that any commit added, once for each commit."""
    out = git_in(repository, "log", "--format=", "--name-only", ref).splitlines()
    return sorted(path.split("/")[-2] for path in out if path.endswith("/record.json"))


def synced(ledger: Branch, remote: str | None = None, *, timeout: float = 60, fold: bool = True) -> Synced:
    return sync(ledger, remote, timeout_seconds=timeout, fold=fold)


def folder_of(ledger: Branch) -> Path:
    assert ledger.repository.worktree is not None
    return ledger.repository.worktree


def wrong_with(ledger: Branch) -> list[str]:
    """Return what verification says of the history; the entries of these tests are no whole records."""
    with blob_reader(ledger.repository) as read_blob:
        findings = verify(ledger, read_blob).findings
    return [finding.message for finding in findings if finding.commit or "rewound" in finding.message]


class _Backend(BaseHTTPRequestHandler):
    """Git's own server for HTTP, as a web server calls it (git-http-backend, CGI)."""

    root: Path

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding") == "chunked":
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer(body)

    def _answer(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        environment = {
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "tester",
            "REMOTE_ADDR": "127.0.0.1",
            "PATH": "/usr/bin:/bin",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environment, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines() if ": " in line)
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's own name
        pass


@contextmanager
def over_http(root: Path) -> Iterator[str]:
    """Serve the repositories of a folder on loopback; yields the address of the folder."""
    handler = type("Backend", (_Backend,), {"root": root})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
