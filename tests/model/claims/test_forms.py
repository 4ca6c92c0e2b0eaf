"""The forms of numbers, times, hashes and names: what is refused, and where exactly the border runs."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from ledger.model.boxes.code import Code, InnerRepository
from ledger.model.boxes.cost import Cost
from ledger.model.boxes.inputs import Datasets, DatasetUse
from ledger.model.boxes.machine import Gpu, Hardware
from ledger.model.boxes.outputs import Logs, Metric, Model, Results, Statistics
from ledger.model.claims import forms
from ledger.model.claims.facts import Facts
from ledger.model.entries import Case, DatasetVersion, Evaluation
from ledger.model.record import Record
from tests.minimal import ADA, NOW, TOOL, minimal_record
from tests.samples import sample_datasets

ID = "20261120-194812-abcdef"
COMMON = {"format": 1, "id": ID, "author": ADA, "tool": TOOL}
Rule = Callable[[Facts], Iterator[tuple[str, str]]]


def found(rule: Rule, document: object) -> list[tuple[str, str]]:
    return list(rule(Facts(document)))


def fields(rule: Rule, document: object) -> list[str]:
    return [field for field, _ in found(rule, document)]


def timed(**moments: datetime) -> Record:
    return minimal_record(timing=msgspec.structs.replace(minimal_record().timing, **moments))


def test_what_is_counted_or_paid_is_not_negative() -> None:
    document = minimal_record(
        cost=Cost(amount=-0.5, device_count=0.0),
        hardware=Hardware(cores=-1, gpus=[Gpu(name="a", memory_bytes=-8)]),
        logs=Logs(lines=0, warnings={"w": -1}),
    )
    assert found(forms.negative, document) == [
        ("hardware.cores", "hardware.cores is negative: -1"),
        ("hardware.gpus[0].memory_bytes", "hardware.gpus[0].memory_bytes is negative: -8"),
        ("cost.amount", "cost.amount is negative: -0.5"),
        ("logs.warnings.w", "logs.warnings.w is negative: -1"),
    ]


def test_seeds_steps_exit_codes_and_counts_that_fell_may_be_negative() -> None:
    document = minimal_record(
        seed=-1, exit_code=-9, statistics=Statistics(steps=-1, epochs=-0.5),
        results=Results(metrics=[Metric(name="a", value=-1.0, step=-1, epoch=-1.0)]),
    )  # fmt: skip
    assert found(forms.negative, document) == []
    assert found(forms.negative, sample_datasets()[2]) == []  # fewer samples of a label than before


@pytest.mark.parametrize(
    ("value", "fits"), [((1 << 63) - 1, True), (1 << 63, False), (-(1 << 63), True), (-(1 << 63) - 1, False)]
)
def test_a_whole_number_fits_64_bits_to_the_last_one(value: int, fits: bool) -> None:  # noqa: FBT001  # of pytest
    assert (found(forms.too_large, minimal_record(seed=value)) == []) == fits


def test_a_number_that_fits_nowhere_is_told_by_its_digits() -> None:
    assert found(forms.too_large, minimal_record(seed=10**30)) == [
        ("seed", "seed does not fit in 64 bits: a number of 31 digits")
    ]


@pytest.mark.parametrize(("year", "believed"), [(1969, False), (1970, True), (2199, True), (2200, False)])
def test_a_time_is_of_a_year_that_a_clock_may_say(year: int, believed: bool) -> None:  # noqa: FBT001  # of pytest
    document = timed(ended_at=datetime(year, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert found(forms.far_times, document) == (
        [] if believed else [("timing.ended_at", f"timing.ended_at is in the year {year}")]
    )


def test_a_time_in_another_zone_is_told_and_one_in_utc_by_another_name_is_not() -> None:
    berlin = timezone(timedelta(hours=1))
    assert found(forms.other_zones, timed(started_at=datetime(2026, 11, 20, 10, tzinfo=berlin))) == [
        ("timing.started_at", "timing.started_at is not in UTC: 2026-11-20T10:00:00+01:00")
    ]
    assert found(forms.other_zones, timed(started_at=datetime(2026, 11, 20, tzinfo=timezone(timedelta(0))))) == []


def with_hash(text: str) -> Record:
    return minimal_record(model=Model(hash=text))


@pytest.mark.parametrize(
    "text",
    [f"blake3:{'0' * 64}", f"sha256:{'af' * 32}", f"md5:{'9' * 32}", "declared:org/squad", "declared:two\nlines"],
)
def test_a_hash_that_ledger_writes_is_one(text: str) -> None:
    assert found(forms.wrong_hashes, with_hash(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "", "0" * 64, f"blake3:{'0' * 63}", f"blake3:{'0' * 65}", f"blake3:{'A' * 64}", f"md5:{'0' * 64}", "declared:",
        f"blake3:{'0' * 64}\n", f"sha1:{'0' * 40}",
    ],
)  # fmt: skip
def test_a_hash_of_another_form_is_none(text: str) -> None:
    ((field, message),) = found(forms.wrong_hashes, with_hash(text))
    assert field == "model.hash"
    assert message == f"model.hash is not a hash: `{ascii(text)[1:-1][:80]}`"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (f"git:{'0' * 40}", True), (f"git:{'0' * 64}", True), (f"git:{'0' * 41}", False), (f"git:{'0' * 39}", False),
        ("git:HEAD", False), ("0" * 40, False), (f"git:{'F' * 40}", False),
    ],
)  # fmt: skip
def test_a_commit_and_a_tree_are_whole_ids_of_git(text: str, is_one: bool) -> None:  # noqa: FBT001  # of pytest
    document = minimal_record(
        code=Code(commit=text, repositories=[InnerRepository(path="a", kind="nested", tree=text)])
    )
    assert fields(forms.wrong_hashes, document) == ([] if is_one else ["code.commit", "code.repositories[0].tree"])


@pytest.mark.parametrize(
    ("text", "is_one"), [("EUR", True), (None, True), ("eur", False), ("EURO", False), ("€", False), ("EU\n", False)]
)
def test_a_currency_is_three_capital_letters(text: str | None, is_one: bool) -> None:  # noqa: FBT001  # of pytest
    document = minimal_record(cost=Cost(currency=text))
    assert fields(forms.wrong_currency, document) == ([] if is_one else ["cost.currency"])
    assert found(forms.wrong_currency, sample_datasets()[0]) == []


def use(name: str | None, version: str | None, *, declared: bool = False) -> DatasetUse:
    return DatasetUse(role="train", split="train", name=name, version=version, declared=declared)


@pytest.mark.parametrize("name", ["a\\b", "a@b", "..", "a..b", ".hidden", "-x", "/abs", "a/", " a", "a\n"])
def test_a_name_of_data_that_leads_elsewhere_or_reads_as_two_is_refused_wherever_it_stands(name: str) -> None:
    version: DatasetVersion = msgspec.structs.replace(sample_datasets()[0], name=name, version=name)
    assert fields(forms.wrong_datasets, version) == ["name", "version"]
    case = Case(dataset=name, input="a", expected="b", added_at=NOW, **COMMON)  # type: ignore[arg-type]  # by name
    assert fields(forms.wrong_datasets, case) == ["dataset"]
    used = [use("good", "v1"), use(name, name)]
    assert fields(forms.wrong_datasets, minimal_record(datasets=Datasets(used=used))) == [
        "datasets.used[1].name", "datasets.used[1].version",
    ]  # fmt: skip
    evaluation = Evaluation(run=ID, datasets=used, metrics=[], evaluated_at=NOW, **COMMON)  # type: ignore[arg-type]  # as above
    assert fields(forms.wrong_datasets, evaluation) == ["datasets[1].name", "datasets[1].version"]


@pytest.mark.parametrize(
    ("used", "told"),
    [
        (use("org/name", None), []),
        (use("org/name", "v1"), ["datasets.used[0].name"]),
        (use("org/name", "v/1"), ["datasets.used[0].name", "datasets.used[0].version"]),
        (use("org/name@main", "v/1", declared=True), []),
        (use(None, None), []),
    ],
)
def test_a_slash_is_refused_where_a_path_is_made_of_the_name(used: DatasetUse, told: list[str]) -> None:
    assert fields(forms.wrong_datasets, minimal_record(datasets=Datasets(used=[used]))) == told


def test_a_run_is_not_its_own_relative() -> None:
    own = minimal_record(parent=ID, baseline=ID, children=["20261120-194812-aaaaaa", ID])
    assert fields(forms.own_relatives, own) == ["parent", "baseline", "children"]
    other = "20261120-194812-aaaaaa"
    assert found(forms.own_relatives, minimal_record(parent=other, baseline=other, children=[other])) == []
    assert found(forms.own_relatives, sample_datasets()[0]) == []
