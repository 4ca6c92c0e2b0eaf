"""A local server for a built site, which is rebuilt when the ledger moves; open pages reload themselves.

Only what is served carries the reload script: the folder holds the site as it is deployed.
"""

import errno
import math
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ledger import resources
from ledger.errors import LedgerError
from ledger.formatting import duration
from ledger.publish.pages.addresses import NOT_FOUND
from ledger.publish.site.output import SiteReport

POLL_SECONDS = 1.0
"""How often the tip of the ledger branch is read."""
_LOOK_SECONDS = 0.1
"""How often the mark of the hook `reference-transaction` is checked: one stat(2), where reading the tip runs git."""

MOST_CONNECTIONS = 64
"""Most simultaneous connections, each with its thread: a browser opens six."""
IDLE_SECONDS = 15.0
"""After which a connection on which nothing comes, or that takes no answer, is closed."""
_LONGEST_PATH = 2_000
"""Most characters of a URL; pages have names of 200."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
"""Types of the files of a site; any other is offered as a download."""

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}

_SCRIPTS = resources.shipped("templates") / "serve"
"""Scripts that served pages carry."""
_RELOAD_PATH = "/-/reload.js"
_GENERATION_PATH = "/-/generation"

_LIVE_PATH, _LIVE_SCRIPT_PATH = "/-/live", "/-/live.js"
_HOME = {"/", "/index.html"}
_LIVE_SECONDS = 1.0
"""For how long an answer on living runs is given again: many open pages cost as much as one."""


def serve_site(  # the command passes them by name
    build: Callable[[], SiteReport],
    output: Path,
    host: str,
    port: int,
    tip: Callable[[], str | None],
    notify: Callable[[str], None],
    moved: Path | None = None,
    live: Callable[[], bytes] | None = None,
) -> None:
    """Build, then serve `output` until Ctrl-C, building again whenever `tip` changes.

    Args:
        build: builds the site in `output`.
        output: folder of the site.
        host: address to listen on; `127.0.0.1` keeps the site on this machine.
        port: port to listen on; 0 for a free one.
        tip: commit of the ledger branch, or none.
        notify: called with one line whenever there is something to say.
        moved: file that a hook touches when the ledger moves; then the tip is read at once.
        live: returns the living runs of this machine as JSON, which the home page shows.

    Raises:
        LedgerError: the port is in use, the address cannot be used, or the first build fails.
    """
    shown = tip()
    build()
    server = _listen(output, host, port, live)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        address = f"[{host}]" if ":" in host else host
        notify(f"the site is at http://{address}:{server.server_port}/ (Ctrl-C stops)")
        _follow(server, build, tip, shown, notify, moved)
    except KeyboardInterrupt:
        notify("stopped")
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], output: Path, live: Callable[[], bytes] | None) -> None:
        self.output = output.resolve()
        self.shows_living = live is not None
        self._live = live
        self._seen = (-math.inf, b"[]")
        self._looking = threading.Lock()
        self.generation = 0
        self.stopped = threading.Event()
        self._open = 0
        self._counted = threading.Lock()
        super().__init__(address, _Handler)

    def living(self) -> bytes:
        """Return the living runs as JSON; none where they cannot be read."""
        with self._looking:
            if self._live is not None and time.monotonic() - self._seen[0] > _LIVE_SECONDS:
                try:
                    seen = self._live()
                except (LedgerError, OSError):
                    seen = b"[]"
                self._seen = (time.monotonic(), seen)
            return self._seen[1]

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ANN401, ARG002  # signature of socketserver
        """Accept a connection while a thread is free; one more is closed at once, and browsers try again."""
        with self._counted:
            free = self._open < MOST_CONNECTIONS
            self._open += free
            return free

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # as above
        """Answer one connection, and release its thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._counted:
                self._open -= 1

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  # signature of socketserver
        """Ignore it: a reader who closes the page early is no error."""


def _listen(output: Path, host: str, port: int, live: Callable[[], bytes] | None) -> _Server:
    try:
        return _Server((host, port), output, live)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise LedgerError(
                f"another program listens on this port: `{port}`", hint=f"ledger site serve --port {port + 1}"
            ) from error
        raise LedgerError(f"cannot listen on this address ({error.strerror}): `{host}:{port}`") from error
    except OverflowError as error:
        raise LedgerError(f"no such port: `{port}`", hint="choose one from 1024 to 65535") from error


def _follow(
    server: _Server,
    build: Callable[[], SiteReport],
    tip: Callable[[], str | None],
    shown: str | None,
    notify: Callable[[str], None],
    moved: Path | None,
) -> None:
    """Rebuild when the tip moves; a failing build is reported, and retried at the next move."""
    while not _stopped(server, moved):
        try:
            now = tip()
            if now == shown:
                continue
            shown = now
            report = build()
        except LedgerError as error:
            notify(f"not built: {error}")
            continue
        server.generation += 1
        notify(f"built again in {duration(report.seconds)}: {report.written} pages written, {report.deleted} deleted")


def _stopped(server: _Server, moved: Path | None) -> bool:
    """Wait until the tip should be read again; return whether serving was stopped instead."""
    before, deadline = _time_of(moved), time.monotonic() + POLL_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        if server.stopped.wait(min(left, _LOOK_SECONDS)):
            return True
        if _time_of(moved) != before:
            return False
    return False


def _time_of(moved: Path | None) -> int | None:
    try:
        return moved.stat().st_mtime_ns if moved else None
    except OSError:
        return None


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    server_version = "ledger"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with a file of the site."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers alone."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # signature of http.server
        """Print nothing: the terminal belongs to the command."""

    def _answer(self, *, with_body: bool) -> None:
        status, kind, body = self._content()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def _content(self) -> tuple[HTTPStatus, str, bytes]:
        plain = "text/plain; charset=utf-8"
        if not self._is_our_host():
            return HTTPStatus.MISDIRECTED_REQUEST, plain, b"this server answers to its own name only\n"
        if len(self.path) > _LONGEST_PATH:
            return HTTPStatus.REQUEST_URI_TOO_LONG, plain, b"no page has an address as long as this\n"
        path = _path_in(self.path)
        if (own := self._own(path)) is not None:
            return HTTPStatus.OK, *own
        file = _file_of(self.server.output, path)
        if file is None:
            missing = _file_of(self.server.output, NOT_FOUND)
            body = missing.read_bytes() if missing else b"no such page\n"
            return HTTPStatus.NOT_FOUND, _TYPES[".html"] if missing else plain, body
        data = file.read_bytes()
        if file.suffix == ".html":
            scripts = [_RELOAD_PATH, *([_LIVE_SCRIPT_PATH] if self.server.shows_living and path in _HOME else [])]
            tags = "".join(f'<script src="{script}"></script>' for script in scripts)
            data = data.replace(b"</body>", f"{tags}</body>".encode())
        return HTTPStatus.OK, _TYPES.get(file.suffix, "application/octet-stream"), data

    def _own(self, path: str) -> tuple[str, bytes] | None:
        """Return type and content of what the server itself answers with; none for a file of the site."""
        if path == _GENERATION_PATH:
            return "text/plain; charset=utf-8", str(self.server.generation).encode()
        if path == _LIVE_PATH:
            return _TYPES[".json"], self.server.living()
        if path in {_RELOAD_PATH, _LIVE_SCRIPT_PATH}:
            return _TYPES[".js"], (_SCRIPTS / path.rpartition("/")[2]).read_bytes()
        return None

    def _is_our_host(self) -> bool:
        """Refuse foreign host names: a web site could point its name at this machine and read the served pages."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) > 1:
            return False
        if str(self.server.server_address[0]) not in _LOOPBACK:
            return True
        try:
            return urlsplit(f"//{''.join(hosts)}").hostname in _LOOPBACK
        except ValueError:
            return False


def _path_in(address: str) -> str:
    """Return the path of an address, one that no file can have where it is no address."""
    try:
        return unquote(urlsplit(address).path)
    except ValueError:
        return "\0"


def _file_of(output: Path, path: str) -> Path | None:
    """Return the file that a URL path names, or none: no hidden file, nothing outside the site."""
    parts = [part for part in path.split("/") if part]
    if "\0" in path or "\\" in path or any(part.startswith(".") for part in parts):
        return None
    target = output.joinpath(*parts)
    try:
        if target.is_dir():
            target /= "index.html"
        resolved = target.resolve()
        return resolved if resolved.is_file() and resolved.is_relative_to(output) else None
    except (OSError, ValueError):  # a name that is longer than the file system takes
        return None
