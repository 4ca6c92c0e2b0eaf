"""Logs become short, clean and harmless."""

import tracemalloc
from pathlib import Path

import pytest

from ledger.capture.outputs.logs import summarise_log
from ledger.capture.secrets.redactor import Redactor
from ledger.errors import LedgerError, NotFound
from ledger.hashing import hash_bytes
from ledger.model.boxes.outputs import Logs

TRACEBACK = """Traceback (most recent call last):
  File "train.py", line 7, in <module>
    fit()
ValueError: bad batch 17
"""


def summary(folder: Path, text: str | bytes) -> tuple[Logs, str]:
    (folder / "train.log").write_bytes(text.encode() if isinstance(text, str) else text)
    logs, data = summarise_log(folder / "train.log", Redactor())
    return logs, data.decode()


def test_a_short_log_is_kept_whole_and_once(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(250))
    logs, short = summary(tmp_path, text)
    assert [line for line in short.splitlines() if line.startswith("line ")] == text.splitlines()
    assert "left out" not in short
    assert (logs.lines, logs.bytes, logs.hash) == (250, len(text), hash_bytes(text.encode()))


def test_a_long_log_keeps_head_and_tail_and_says_what_is_missing(tmp_path: Path) -> None:
    _, short = summary(tmp_path, "".join(f"line {number}\n" for number in range(1000)))
    kept = [int(line[5:]) for line in short.splitlines() if line.startswith("line ")]
    assert kept == [*range(100), *range(800, 1000)]
    assert "… 700 lines left out …" in short


def test_each_warning_and_error_stands_once_with_its_count(tmp_path: Path) -> None:
    lines = [
        *(f"2026-11-20 19:48:{n:02} WARNING slow batch {n} at 0x7f{n:04x} in /data/a{n}/b.py" for n in range(50)),
        "x.py:3: UserWarning: deprecated",
        "ERROR:root:no space left",
        "epoch 3 error 0.12 val_error: 0.3 mean squared error: 0.4",
        "gcc: error: no such file",
        "RuntimeError: CUDA out of memory",
        "0 errors, 0 warnings",
    ]
    logs, short = summary(tmp_path, "\n".join(lines))
    assert sorted(logs.warnings.values()) == [1, 50]
    assert set(logs.errors) == {
        "ERROR:root:no space left",
        "gcc: error: no such file",
        "RuntimeError: CUDA out of memory",
    }
    assert "50 times: 2026-11-20 19:48:00 WARNING slow batch 0" in short


def test_a_traceback_is_one_error_and_kept_whole(tmp_path: Path) -> None:
    filler = "".join(f"step {number}\n" for number in range(500))
    logs, short = summary(tmp_path, filler + TRACEBACK + filler + TRACEBACK.replace("17", "18") + filler)
    assert logs.errors == {"ValueError: bad batch 17": 2}
    assert '      File "train.py", line 7, in <module>' in short


def test_a_traceback_behind_the_prefix_of_a_rank_is_found(tmp_path: Path) -> None:
    text = "".join(f"[rank0]: {line}\n" for line in TRACEBACK.splitlines())
    assert summary(tmp_path, text)[0].errors == {"ValueError: bad batch 17": 1}


def test_a_traceback_that_the_log_breaks_off_in_is_an_error(tmp_path: Path) -> None:
    assert len(summary(tmp_path, TRACEBACK.rsplit("\n", 2)[0])[0].errors) == 1


def test_endless_recursion_is_shortened(tmp_path: Path) -> None:
    text = TRACEBACK.replace("    fit()\n", "    fit()\n" * 5000)
    _, short = summary(tmp_path, "\n" * 400 + text + "\n" * 400)
    assert "lines left out …" in short
    assert len(short) < 10_000


def test_progress_bars_colours_and_control_characters_vanish(tmp_path: Path) -> None:
    text = b"a\r 10%\r 50%\r100% done\r\n\x1b[31mred\x1b[0m \x1b]0;title\x07x\x00\x08\n\xff\xfe bad \xe2\x80\xae flip\n"
    _, short = summary(tmp_path, text)
    assert short.splitlines()[-3:] == ["100% done", "red x", "�� bad  flip"]


def test_secrets_never_reach_the_summary(tmp_path: Path) -> None:
    token = "hf_" + "aB3" * 12
    text = f"{'x ' * 1995}{token} y\n" + f"RuntimeError: bad token {token}\n" + f"\x1b[32mhf_\x1b[0m{token[3:]}\n"
    logs, short = summary(tmp_path, text)
    assert "aB3aB3" not in short
    assert all("aB3" not in label for label in logs.errors)


def test_different_problems_past_the_limit_are_counted_as_unknown(tmp_path: Path) -> None:
    letters = [f"{a}{b}" for a in "ghijklmnopqrstuvwxyz" for b in "ghijklmnopqrstuvwxyz"]
    logs, _ = summary(tmp_path, "".join(f"ERROR {pair}\n" for pair in letters))
    assert len(logs.errors) == 200
    assert "200 more lines" in logs.unknown["errors"]


def test_a_large_log_in_one_line_takes_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "train.log").open("wb") as file:
        for _ in range(40):
            file.write(b"progress 10%\r" * 80_000)
        file.write(b"\nend\n")
    tracemalloc.start()
    logs, data = summarise_log(tmp_path / "train.log", Redactor())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert logs.lines == 2
    assert peak < 16_000_000
    assert len(data) < 5000


def test_lines_are_cut_at_two_thousand_characters(tmp_path: Path) -> None:
    _, short = summary(tmp_path, "word " * 1000 + "\n")
    assert max(map(len, short.splitlines())) < 2100


def test_an_empty_log_has_no_lines(tmp_path: Path) -> None:
    logs, short = summary(tmp_path, "")
    assert (logs.lines, logs.bytes) == (0, 0)
    assert "all 0 lines" in short


def test_a_missing_log_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no log file"):
        summarise_log(tmp_path / "no.log", Redactor())
    with pytest.raises(LedgerError, match="cannot be read"):
        summarise_log(tmp_path, Redactor())


WORDS = "épreuve 1\r\nERROR:root:Größe fehlt\r\nUserWarning: naïve\r\n"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16-le", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("cp1252", b""),
    ],
)
def test_a_log_in_another_encoding_is_read_and_hashed_as_it_is(tmp_path: Path, encoding: str, mark: bytes) -> None:
    data = mark + (WORDS * 20).encode(encoding)
    logs, short = summary(tmp_path, data)
    assert (logs.lines, logs.bytes, logs.hash) == (60, len(data), hash_bytes(data))
    assert logs.errors == {"ERROR:root:Größe fehlt": 20}
    assert logs.warnings == {"UserWarning: naïve": 20}
    assert "\népreuve 1\n" in short


def test_a_chunk_that_ends_within_a_letter_loses_nothing(tmp_path: Path) -> None:
    line = "x" * 1021 + "ERROR: ö\n"
    logs, _ = summary(tmp_path, b"\xff\xfe" + (line * 3000).encode("utf-16-le"))
    assert logs.lines == 3000
