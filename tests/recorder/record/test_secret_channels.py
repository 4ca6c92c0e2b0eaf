"""Nothing that any command writes holds a secret that redaction knows, and nothing it writes is refused by `check`."""

import struct
import subprocess
import zlib
from contextlib import suppress
from pathlib import Path

import pytest

from tests.capture.secrets.texts import drawn, made
from tests.conftest import Cli, git_in

KINDS = ("ghp_{a36}", "sk-ant-{w40}", "SG.{w22}.{w43}", "hvs.{a28}", "glpat-{a20}", "dop_v1_{h64}")
PIXEL = bytes.fromhex("0000000d49484452000000010000000108060000001f15c489")
"""The first chunk of a PNG of one pixel."""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*texts: bytes) -> bytes:
    pixels = chunk(b"IDAT", zlib.compress(b"\0\0\0\0\0"))
    return b"\x89PNG\r\n\x1a\n" + PIXEL + b"".join(texts) + pixels + chunk(b"IEND", b"")


def everything(repo: Path) -> bytes:
    """Return all that stands on the branch: paths, contents, messages, authors, packed text of pictures unpacked."""
    out = subprocess.run(
        ["git", "log", "-p", "--text", "--format=raw", "ledger"], cwd=repo, capture_output=True, check=True
    )
    paths = git_in(repo, "ls-tree", "-r", "--name-only", "-z", "ledger").split("\0")
    held = [out.stdout]
    for path in filter(None, paths):
        data = subprocess.run(["git", "show", f"ledger:{path}"], cwd=repo, capture_output=True, check=True).stdout
        held += [path.encode(), data, *unpacked(data)]
    return b"\n".join(held)


def unpacked(data: bytes) -> list[bytes]:
    """Return what packed chunks of a PNG say."""
    found = []
    position = data.find(b"\x78\x9c")
    while position >= 0:
        with suppress(zlib.error):
            found.append(zlib.decompressobj().decompress(data[position:]))
        position = data.find(b"\x78\x9c", position + 1)
    return found


def plant(repo: Path, token: str) -> list[str]:
    """Write the token into files of every kind, and return the options that record them, with it in every text."""
    secret = token.encode()
    files = {
        "params.yaml": f"note: {token}\nnested:\n  '{token}': [1, '{token}']\n",
        "metrics.json": '{"validation/' + token + '": 0.5}',
        "curves.csv": f"step,{token},loss\n1,0.1,0.2\n2,0.3,0.4\n",
        "train.log": f"WARNING: cannot use {token}\nERROR: {token}\n",
        "table.csv": f"text,{token}\nuse {token},1\n{token},2\n",
        "new.py": f"KEY = '{token}'\n",
        "figure.svg": f"<svg xmlns='http://www.w3.org/2000/svg'><!-- {token} --><text>{token}</text></svg>",
    }
    for name, text in files.items():
        (repo / name).write_text(text)
    (repo / f"{token}.py").write_text("x = 1\n")
    texts = (
        chunk(b"tEXt", b"Comment\0" + secret),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(secret)),
        chunk(b"iTXt", b"Comment\0\0\0\0\0" + secret),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(secret)),
        chunk(b"eXIf", b"MM\0*" + secret),
    )
    (repo / "figure.png").write_bytes(png(*texts))
    (repo / f"data-{token}").mkdir()
    (repo / f"data-{token}" / "x.txt").write_text("1")
    (repo / f"model-{token}.bin").write_bytes(b"\0" * 100)
    return [
        *("-e", f"try {token}", "--params", "params.yaml", "-p", f"x={token}", "-p", f"{token}=1"),
        *("--metrics", "metrics.json", "-m", "validation/accuracy=0.5", "-d", f"validation=data-{token}"),
        *("--curves", "curves.csv", "--figure", f"{token}=figure.svg", "--figure", "figure.png"),
        *("--table", f"{token}=table.csv", "--log", "train.log", "--model", f"model-{token}.bin", "-t", token),
        *("-n", f"see {token}", "--link", f"https://example.org/{token}", "--status", "failed"),
        *("--reason", f"{token} is wrong", "--command", f"python train.py --lr 0.1 {token}"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_no_channel_lets_a_token_through_and_check_takes_what_was_written(repo: Path, cli: Cli, kind: str) -> None:
    token = made(kind)
    git_in(repo, "config", "user.name", f"Ada {token}")
    git_in(repo, "checkout", "--quiet", "-b", f"try-{token}")
    recorded = cli("record", *plant(repo, token))
    assert recorded.code == 0, recorded.err
    assert "secrets were replaced before anything was stored" in recorded.err
    run = git_in(repo, "ls-tree", "-r", "--name-only", "ledger").split("runs/")[1].split("/")[3]
    for command in (
        ("note", run, f"use {token}"),
        ("tag", run, token),
        ("milestone", run, "1", "--because", f"by {token}", "--model", f"m {token}"),
        ("baseline", run, "--because", f"by {token}"),
        ("evaluate", run, "-m", f"test/{token}=0.4", "-n", token, "-d", f"test=data-{token}"),
        ("case", "add", "digits", "--input", token, "--expect", token, "--origin", token),
        ("dataset", "add", "digits", "figure.png", "--role", "test", "--reason", token, "--source", token),
        ("retract", run, "--because", token),
    ):
        done = cli(*command)
        assert done.code == 0, (command, done.err)
    held = everything(repo)
    for secret in (token, max(drawn(kind), key=len)):
        assert secret.encode() not in held
    checked = cli("check", "ledger")
    assert checked.code == 0, checked.out
    verified = cli("verify")
    assert verified.code == 0, verified.out


@pytest.mark.parametrize("place", ["name", "version", "file"])
def test_a_token_that_would_stand_in_a_path_or_a_hash_is_refused(repo: Path, cli: Cli, place: str) -> None:
    token = made("ghp_{l36}")
    (repo / "data").mkdir()
    (repo / "data" / (token if place == "file" else "x")).write_text("1")
    version = ("--version", token) if place == "version" else ()
    done = cli("dataset", "add", token if place == "name" else "digits", "data", "--role", "test", *version)
    assert done.code != 0
    assert "looks like a secret" in done.err
    assert token not in done.err


def test_a_dataset_whose_name_is_a_secret_is_recorded_without_one(repo: Path, cli: Cli) -> None:
    token = made("ghp_{l36}")
    (repo / "data").mkdir()
    (repo / "data" / "x").write_text("1")
    assert cli("record", "-m", "validation/accuracy=0.5", "-d", f"validation:{token}@v1=data").code == 0
    assert token.encode() not in everything(repo)
    assert cli("check", "ledger").code == 0


def test_a_file_whose_name_is_a_secret_is_named_and_left_out_of_the_patch(repo: Path, cli: Cli) -> None:
    token = made("ghp_{a36}")
    (repo / f"{token}.py").write_text("x = 1\n")
    (repo / "other.py").write_text("y = 2\n")
    assert cli("record", "-m", "validation/accuracy=0.5").code == 0
    held = everything(repo).decode("utf-8", "replace")
    assert token not in held
    assert "[redacted: github-token] (its name holds a secret)" in held
    path = next(path for path in git_in(repo, "ls-tree", "-r", "--name-only", "ledger").split() if "code.patch" in path)
    (repo / f"{token}.py").unlink()
    (repo / "other.py").unlink()
    (repo / "out.patch").write_text(git_in(repo, "show", f"ledger:{path}"))
    git_in(repo, "apply", "out.patch")
    assert (repo / "other.py").read_text() == "y = 2\n"


def test_a_png_keeps_its_pixels_and_its_harmless_texts() -> None:
    from ledger.capture.secrets.picture_texts import redact_png
    from ledger.capture.secrets.redactor import Redactor

    secret, harmless = (
        chunk(b"tEXt", b"Comment\0" + made("ghp_{a36}").encode()),
        chunk(b"tEXt", b"Software\0matplotlib"),
    )
    assert redact_png(png(secret, harmless), Redactor()) == png(harmless)
    assert redact_png(png(harmless) + made("ghp_{a36}").encode(), Redactor()) == png(harmless)


def test_an_svg_stays_well_formed_and_its_hash_fits(repo: Path, cli: Cli) -> None:
    from xml.parsers import expat

    token = made("xoxb-{d12}-{a24}")
    text = (
        f"<svg xmlns='http://www.w3.org/2000/svg'><text>password: {token}</text><text>&quot;{token}&quot;</text></svg>"
    )
    (repo / "figure.svg").write_text(text)
    (repo / ".git" / "info" / "exclude").write_text("figure.svg\n")
    assert cli("record", "-m", "validation/accuracy=0.5", "--figure", "roc=figure.svg").code == 0
    path = next(
        path for path in git_in(repo, "ls-tree", "-r", "--name-only", "ledger").split() if path.endswith(".svg")
    )
    kept = git_in(repo, "show", f"ledger:{path}")
    assert token not in kept
    expat.ParserCreate().Parse(kept, True)  # positional in the standard library
    assert cli("verify").code == 0
    assert cli("check", "ledger").code == 0
