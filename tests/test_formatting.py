"""How values are written, in Python and in the browser: one table of cases for both."""

import json
import math
import random
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import formatting
from tests.browser.chromium import NODE
from tests.conftest import ROOT

CASES = json.loads((ROOT / "tests/formatting.json").read_text("utf-8"))


def cases(name: str) -> list[list[object]]:
    return [[float(value) if isinstance(value, str) else value, *texts] for value, *texts in CASES[name]]


@pytest.mark.parametrize(("value", "plain", "shown"), [*cases("number")])
def test_a_number_keeps_five_digits(value: float, plain: str, shown: str) -> None:
    assert formatting.number(value) == plain
    assert formatting.typeset(plain) == shown


@pytest.mark.parametrize(("seconds", "shown"), cases("duration"))
def test_a_duration_has_two_units(seconds: float, shown: str) -> None:
    assert formatting.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "unknown"), (math.nan, "unknown"), (0.0, "0 µs"), (2.4e-5, "24 µs"), (0.003456, "3.46 ms"),
        (0.25, "250 ms"), (1.2345, "1.23 s"), (90.0, "1 min 30 s"),
    ],
)  # fmt: skip
def test_a_latency_has_one_unit(seconds: float | None, shown: str) -> None:
    assert formatting.latency(seconds) == shown


@pytest.mark.parametrize(("amount", "currency", "plain", "shown"), cases("money"))
def test_money_keeps_what_is_worth_something(amount: float | None, currency: str, plain: str, shown: str) -> None:
    assert formatting.money(amount, currency) == plain
    assert formatting.typeset(plain) == shown


@pytest.mark.parametrize(("fraction", "shown"), cases("share"))
def test_a_share_is_a_percentage_that_is_never_all_by_rounding(fraction: float, shown: str) -> None:
    assert formatting.share(fraction) == shown


@pytest.mark.parametrize(("value", "plain", "shown"), cases("tick"))
def test_a_tick_is_short(value: float, plain: str, shown: str) -> None:
    assert formatting.tick(value) == plain
    assert formatting.typeset(plain) == shown


@pytest.mark.parametrize(
    ("value", "deviation", "shown"),
    [
        (0.912345, 0.00421, ("0.9123", "0.0042")),
        (0.912345, 0.1, ("0.91", "0.10")),
        (0.912345, 0.0996, ("0.91", "0.10")),
        (12345.678, 3.21, ("12345.7", "3.2")),
        (12345.678, 32.1, ("12346", "32")),
        (12345.678, 321.0, ("12346", "321")),
        (0.5, 0.0, ("0.5", "0")),
        (0.5, None, ("0.5", "")),
        (math.nan, 0.1, ("nan", "0.1")),
        (-0.00004, 0.01, ("0.000", "0.010")),
        (1e-12, 1e-14, ("1e-12", "1e-14")),
    ],
)
def test_a_value_is_as_precise_as_it_is_certain(value: float, deviation: float | None, shown: tuple[str, str]) -> None:
    assert formatting.measured(value, deviation) == shown


def test_a_difference_has_its_sign() -> None:
    assert [formatting.change(value) for value in (0.01234, -0.5, 0.0)] == ["+0.0123", "-0.5", "0"]


def test_sizes_are_told_in_decimal_units() -> None:
    sizes = [formatting.byte_size(size) for size in (0, 999, 999.4, 1500, 999_499, 999_999, 8e9, 1.234e16)]
    assert sizes == ["0 B", "999 B", "999 B", "1.5 kB", "999 kB", "1 MB", "8 GB", "12.3 PB"]


def test_times_are_shown_in_utc_wherever_they_were_written() -> None:
    late = datetime(2026, 11, 20, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert formatting.minute(late) == "2026-11-19 23:30"
    assert formatting.moment(late) == "2026-11-19 23:30 UTC"
    assert formatting.day(late) == "2026-11-19"
    assert formatting.iso(datetime(2026, 11, 20, 1, 30, tzinfo=UTC)) == "2026-11-20T01:30:00Z"
    assert formatting.exact_money(4.2e-05, "USD") == "0.000042 USD"


@given(st.floats(-1.79e308, 1.79e308))
def test_a_number_is_near_what_it_tells(value: float) -> None:
    assert math.isclose(float(formatting.number(value)), value, rel_tol=5.1e-5, abs_tol=1e-320)


ANSWERS = """
import fs from "node:fs";
await import("file://" + process.argv[1]);
const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const { ledgerFormatting } = globalThis;
const read = (value) => (["NaN", "Infinity", "-Infinity"].includes(value) ? Number(value) : value);
console.log(JSON.stringify(asked.map(([name, ...values]) => ledgerFormatting[name](...values.map(read)))));
"""
SCRIPT = ROOT / "site/docs/assets/ledger/formatting.js"


def in_the_browser(asked: list[list[object]]) -> list[str]:
    """Return what the script of the site makes of values, each asked as function and arguments."""
    done = subprocess.run(
        [NODE, "--input-type=module", "-e", ANSWERS, "--", str(SCRIPT)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("name", [name for name in CASES if name != "money"])
def test_the_site_writes_the_same(name: str) -> None:
    asked = [[name, case[0]] for case in CASES[name]]
    assert in_the_browser(asked) == [case[-1] for case in CASES[name]]


def test_the_site_writes_money_the_same() -> None:
    assert in_the_browser([["money", *case[:2]] for case in CASES["money"]]) == [case[3] for case in CASES["money"]]


def test_the_site_writes_any_value_as_the_terminal_does() -> None:
    draw = random.Random(2026)  # noqa: S311  # no secret
    values = [draw.choice((-1, 1)) * draw.uniform(1, 10) * 10.0 ** draw.randint(-12, 12) for _ in range(2000)]
    values += [draw.randint(-(10**9), 10**9) / draw.choice((1, 2, 4, 8)) for _ in range(2000)]
    writers: dict[str, Callable[[float], str]] = {
        "number": formatting.number,
        "tick": formatting.tick,
        "share": formatting.share,
    }
    for name, write in writers.items():
        shown = [formatting.typeset(write(value)) for value in values]
        assert in_the_browser([[name, value] for value in values]) == shown
    assert in_the_browser([["duration", value] for value in values]) == [formatting.duration(value) for value in values]
