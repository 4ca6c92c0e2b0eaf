import http.client
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.publish.site import serve
from ledger.publish.site.output import SiteReport
from ledger.publish.site.serve import serve_site


class Served:
    """A served folder whose tip and builds a test decides about."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.tip = "1"
        self.builds = 0
        self.fails = False
        self.said: queue.Queue[str] = queue.Queue()
        self.looked = 0

    def live(self) -> bytes:
        self.looked += 1
        if self.fails:
            raise LedgerError("the spool is damaged")
        return b'[{"id": "20261128-094811-wbj045"}]'

    def build(self) -> SiteReport:
        self.builds += 1
        if self.fails:
            raise LedgerError("the disk is full")
        self.output.mkdir(exist_ok=True)
        (self.output / "index.html").write_text(f"<html><body>build {self.builds}</body></html>")
        (self.output / ".ledger-site.json").write_text("{}")
        return SiteReport(written=1, kept=0, deleted=0, changed=(), seconds=0.1, output=str(self.output), problems=())

    def run(self) -> None:
        serve_site(self.build, self.output, "127.0.0.1", 0, lambda: self.tip, self.said.put, live=self.live)

    def wait_for(self, text: str) -> str:
        while True:
            line = self.said.get(timeout=20)
            if text in line:
                return line


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Served, int]]:
    monkeypatch.setattr(serve, "POLL_SECONDS", 0.05)
    site = Served(tmp_path / "site")
    threading.Thread(target=site.run, daemon=True).start()
    port = int(site.wait_for("http://").split("127.0.0.1:")[1].split("/")[0])
    yield site, port
    site.tip = site.tip  # the thread is a daemon and ends with the tests


def ask(port: int, path: str, *, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, body


def test_pages_are_served_with_a_script_that_the_folder_does_not_have(served: tuple[Served, int]) -> None:
    site, port = served
    status, body = ask(port, "/")
    assert status == 200
    assert 'src="/-/reload.js"' in body
    assert "reload" not in (site.output / "index.html").read_text()
    assert ask(port, "/-/reload.js")[0] == 200
    assert ask(port, "/", method="HEAD") == (200, "")


def test_only_home_carries_the_script_that_shows_what_runs(served: tuple[Served, int]) -> None:
    site, port = served
    (site.output / "runs").mkdir()
    (site.output / "runs" / "index.html").write_text("<html><body>runs</body></html>")
    for home in ("/", "/index.html"):
        assert 'src="/-/live.js"' in ask(port, home)[1]
    assert "live.js" not in ask(port, "/runs/")[1]
    assert '"/-/live"' in ask(port, "/-/live.js")[1]


def test_many_who_ask_what_runs_cost_one_look(served: tuple[Served, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_LIVE_SECONDS", 600.0)
    site, port = served
    assert {ask(port, "/-/live")[1] for _ in range(20)} == {'[{"id": "20261128-094811-wbj045"}]'}
    assert site.looked == 1


def test_what_runs_is_unknown_where_it_cannot_be_read(served: tuple[Served, int]) -> None:
    site, port = served
    site.fails = True
    assert ask(port, "/-/live") == (200, "[]")


def test_a_moved_tip_builds_again_and_open_pages_learn_of_it(served: tuple[Served, int]) -> None:
    site, port = served
    before = ask(port, "/-/generation")[1]
    site.tip = "2"
    site.wait_for("built again")
    assert ask(port, "/-/generation")[1] != before
    assert "build 2" in ask(port, "/index.html")[1]


def test_the_mark_of_a_hook_builds_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "POLL_SECONDS", 600)
    site, mark = Served(tmp_path / "site"), tmp_path / "moved"

    def run() -> None:
        serve_site(site.build, site.output, "127.0.0.1", 0, lambda: site.tip, site.said.put, mark)

    threading.Thread(target=run, daemon=True).start()
    site.wait_for("http://")
    for tip in ("2", "3"):
        site.tip = tip
        time.sleep(0.3)
        mark.write_text("\n")
        site.wait_for("built again")


def test_a_build_that_fails_is_told_and_serving_goes_on(served: tuple[Served, int]) -> None:
    site, port = served
    site.fails = True
    site.tip = "3"
    site.wait_for("not built: the disk is full")
    assert ask(port, "/")[0] == 200
    site.fails = False
    site.tip = "4"
    site.wait_for("built again")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret",
        "/%2e%2e/secret",
        "/..%2fsecret",
        "/.ledger-site.json",
        "//etc/passwd",
        "/a%00b",
        "/..\\secret",
        "/link",
    ],
)
def test_nothing_outside_or_hidden_is_served(served: tuple[Served, int], path: str) -> None:
    site, port = served
    (site.output.parent / "secret").write_text("secret")
    (site.output / "link").symlink_to(site.output.parent / "secret")
    assert ask(port, path)[0] == 404


def test_a_name_of_somebody_else_is_refused(served: tuple[Served, int]) -> None:
    _, port = served
    assert ask(port, "/", host="attacker.example")[0] == 421
    assert ask(port, "/", host=f"localhost:{port}")[0] == 200


def test_a_port_in_use_is_answered_with_another(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site = Served(tmp_path / "site")
        with pytest.raises(LedgerError, match=f"listens on this port: `{port}`") as caught:
            serve_site(site.build, site.output, "127.0.0.1", port, lambda: None, site.said.put)
    assert caught.value.hint == f"ledger site serve --port {port + 1}"


def test_ctrl_c_stops_cleanly(tmp_path: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[2])\n"
        "from pathlib import Path\n"
        "from tests.publish.site.test_serve import Served\n"
        "site = Served(Path(sys.argv[1]))\n"
        "class Out:\n"
        "    def put(self, line): print(line, flush=True)\n"
        "site.said = Out()\n"
        "site.run()\n"
    )
    root = Path(__file__).parents[3]
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "site"), str(root)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert "http://127.0.0.1" in process.stdout.readline()
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "stopped\n", "")


def test_stalled_connections_take_a_bounded_number_of_threads(served: tuple[Served, int]) -> None:
    _, port = served
    before = threading.active_count()
    stalled = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(300)]
    try:
        for one in stalled:
            with suppress(OSError):  # closed already, as those are that find no place
                one.sendall(b"GET / HTTP/1.1\r\n")
        time.sleep(0.5)
        assert threading.active_count() - before <= serve.MOST_CONNECTIONS
    finally:
        for one in stalled:
            one.close()
    assert answered_in_the_end(port)


def answered_in_the_end(port: int) -> bool:
    for _ in range(200):
        with suppress(OSError, http.client.HTTPException):
            return ask(port, "/")[0] == 200
        time.sleep(0.05)
    return False


def test_a_connection_on_which_nothing_comes_is_closed(
    served: tuple[Served, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, port = served
    monkeypatch.setattr(serve._Handler, "timeout", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as silent:
        silent.sendall(b"GET / HTTP/1.1\r\nHost: 127")
        assert silent.recv(1) == b""


@pytest.mark.parametrize("path", ["/" + "a" * 1_500, "/" + "a" * 5_000, "/" + "a/" * 2_500, "/%00", "//[", "http://[/"])
def test_an_address_that_no_page_has_is_answered(served: tuple[Served, int], path: str) -> None:
    _, port = served
    assert ask(port, path)[0] in {404, 414}


def test_a_request_that_names_two_hosts_is_refused(served: tuple[Served, int]) -> None:
    _, port = served
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 421")
