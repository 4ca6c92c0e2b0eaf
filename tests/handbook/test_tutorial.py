"""The tutorial is played as it stands, and what keeps its comparison honest is tried."""

from pathlib import Path

import pytest

from tests.handbook.console import play, rewritten, shortened, steps_of
from tests.handbook.pages import TUTORIAL, WRITE


@pytest.mark.slow
@pytest.mark.timeout(1200)  # twenty seconds of CPU, in sixty processes: a busy machine takes minutes
def test_the_tutorial_prints_what_stands_on_its_page(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    found = [
        f"$ {one.step.command}\n--- on the page\n{one.expected}--- printed\n{one.printed}"
        for one in play(TUTORIAL.read_text("utf-8"), home)
    ]
    assert not found, "\n\n".join([*found, f"if this is right: {WRITE}"])


def test_the_tutorial_goes_the_whole_way() -> None:
    typed = "\n".join(step.command or "" for step in steps_of(TUTORIAL.read_text("utf-8")))
    for verb in ("init", "list", "show", "leaderboard", "dataset add", "reevaluate", "matrix", "judge", "baseline",
                 "sync", "propose", "review", "site build", "verify"):  # fmt: skip
        assert f"ledger {verb}" in typed


PAGE = """
```text title="sub/a.txt"
one
```

```console
$ cat sub/a.txt
one
$ echo 20260101-000000-aaaaaa \\
    and more
20260101-000000-aaaaaa and more
$ for word in 1 2; do
>   echo $word
> done
1
…
$ false
$ echo $?
1
```
"""


def test_a_page_that_is_true_has_no_difference(tmp_path: Path) -> None:
    assert not list(play(PAGE, tmp_path))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("\none\n$", "\ntwo\n$"), ("aaaaaa and more", "aaaaaa and less"), ("\n1\n…", "\n2\n…"), ("$?\n1", "$?\n0")],
)
def test_a_line_that_is_not_what_is_printed_is_found_and_written_anew(tmp_path: Path, right: str, wrong: str) -> None:
    changed = PAGE.replace(right, wrong)
    assert changed != PAGE
    (difference,) = play(changed, tmp_path)
    assert difference.expected != difference.printed
    assert rewritten(changed, [difference]).replace("1\n2\n", "1\n…\n") == PAGE


def test_what_the_page_leaves_out_is_left_out_when_it_is_written_anew() -> None:
    page, printed = "a 1 s\n\n…\n\nd\ne\n\n…\n", "a 2 s\nb\nc\nd\ne\nf\n"
    assert shortened(printed, page) == "a 2 s\n\n…\n\nd\ne\n\n…\n"
    assert shortened("z\n", page) == "z\n", "nothing is left out where its place is not known"


def test_times_costs_and_ids_may_differ_but_not_which_run_is_meant(tmp_path: Path) -> None:
    head = "```console\n$ printf '20260101-000000-aaaaaa\\n20260101-000001-bbbbbb\\n'\n"
    first = "20270505-111111-cccccc\n20270505-111112-dddddd\n"
    asked = "$ echo 20260101-000000-aaaaaa took 3 s at 2026-01-01 10:00 UTC for 0.01 USD\n"
    same = "20270505-111111-cccccc took 99.5 s at 2027-05-05 11:00 UTC for <0.001 USD\n```\n"
    assert not list(play(head + first + asked + same, tmp_path))
    other = same.replace("20270505-111111-cccccc", "20270505-111112-dddddd")
    assert list(play(head + first + asked + other, tmp_path))


def test_a_command_of_the_page_may_name_a_run_by_the_end_of_the_id_that_stands_there(tmp_path: Path) -> None:
    page = "```console\n$ printf '20260101-000000-aaaaaa\\n'\n20270505-111111-cccccc\n$ echo cccccc\ncccccc\n```\n"
    assert not list(play(page, tmp_path))


def test_a_command_that_fails_and_is_not_asked_for_its_exit_code_stops_the_page(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="exit code 1"):
        list(play("```console\n$ false\n```\n", tmp_path))


def test_two_programs_of_the_page_begin_in_two_seconds(tmp_path: Path) -> None:
    shown = "import time; print(int(time.time()))"
    typed = f"for word in 1 2 3 4; do python -c '{shown}'; done | uniq | wc -l"
    assert not list(play(f"```console\n$ {typed}\n4\n```\n", tmp_path))
