"""A local server for a built site, which is rebuilt when the ledger moves; open pages reload themselves.

Only what is served carries the reload script: the folder holds the site as it is deployed.
"""

import errno
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ledger.errors import LedgerError
from ledger.formatting import duration
from ledger.publish.pages.addresses import NOT_FOUND
from ledger.publish.site.build import SiteReport

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

_RELOAD_PATH = "/-/reload.js"
_GENERATION_PATH = "/-/generation"

_RELOAD_SCRIPT = b"""(() => {
  let known = null;
  const ask = async () => {
    try {
      const text = await (await fetch("/-/generation", { cache: "no-store" })).text();
      if (known !== null && text !== known) location.reload();
      known = text;
    } catch { /* the server has stopped; the page stays */ }
    setTimeout(ask, 1000);
  };
  ask();
})();
"""


def serve_site(  # the command passes them by name
    build: Callable[[], SiteReport],
    output: Path,
    host: str,
    port: int,
    tip: Callable[[], str | None],
    notify: Callable[[str], None],
    moved: Path | None = None,
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

    Raises:
        LedgerError: the port is in use, the address cannot be used, or the first build fails.
    """
    shown = tip()
    build()
    server = _listen(output, host, port)
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

    def __init__(self, address: tuple[str, int], output: Path) -> None:
        self.output = output.resolve()
        self.generation = 0
        self.stopped = threading.Event()
        self._open = 0
        self._counted = threading.Lock()
        super().__init__(address, _Handler)

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


def _listen(output: Path, host: str, port: int) -> _Server:
    try:
        return _Server((host, port), output)
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
        if path == _GENERATION_PATH:
            return HTTPStatus.OK, plain, str(self.server.generation).encode()
        if path == _RELOAD_PATH:
            return HTTPStatus.OK, _TYPES[".js"], _RELOAD_SCRIPT
        file = _file_of(self.server.output, path)
        if file is None:
            missing = _file_of(self.server.output, NOT_FOUND)
            body = missing.read_bytes() if missing else b"no such page\n"
            return HTTPStatus.NOT_FOUND, _TYPES[".html"] if missing else plain, body
        data = file.read_bytes()
        if file.suffix == ".html":
            data = data.replace(b"</body>", b'<script src="%s"></script></body>' % _RELOAD_PATH.encode())
        return HTTPStatus.OK, _TYPES.get(file.suffix, "application/octet-stream"), data

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
