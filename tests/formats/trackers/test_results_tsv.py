"""Tables of loops that keep or discard changes: the header decides, and a zero is rarely a value."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.errors import LedgerError
from ledger.formats.trackers.foreign_run import ForeignRun
from ledger.formats.trackers.results_tsv import is_results_table, read_results_table
from ledger.formats.trackers.table_file import ResultsTable
from tests.formats.trackers.damage import endure, outcome

CONVENTION = """\
commit\tval_bpb\tmemory_gb\tstatus\tdescription
a1b2c3d\t0.997900\t44.0\tkeep\tbaseline
b2c3d4e\t0.993200\t44.2\tdiscard\tincrease "LR" to 0.04
c3d4e5f\t0.000000\t0.0\tcrash\tdouble model width (OOM)
"""
DIFFUSION = """\
commit\tval_fid\tmemory_gb\tstatus\tdescription
c0ffee1\t359.6296\t2.5\tkeep\tbaseline
n/a\t351.4344\t2.5\tdiscard\tskip
n/a\t0.0000\t0.0\tcrash\tdivision by zero
n/a\tDIVERGED\t2.5\tcontender\ttoo hot
c0ffee1\t358.1\t2.5\tNEW_BEST\tagain
n/a\t1.0\t2.5\tkeep\ta\tb\tc
short\t1.0
"""
RTX = """\
commit\tval_bpb\tmemory_gb\tmfu\ttok_per_sec\tnum_steps\tnum_params_M\tbatch_size\tfinal_loss\tstatus\tdescription
3087aeb\t2.335670\t5.5\t58.1\t37700\t180\t162.1\t4\t5.155\tkeep\tbaseline — 1.50→5.15
7b1c5a1\t0.000000\t0.0\t0.0\t0\t0\t0.0\t0\t0.000\tcrash\tweight tying
c92e2ae\t1.227580\t5.2\t50.9\t34552\t634\t200.7\t2\t0.000\tdiscard\tlimit
"""
MOE = """\
commit\tkind\tthread\tval_bpb\tdelta_vs_best\tmemory_gb\tstatus\thypothesis\tagrees_with_hypothesis\tdescription
153211f\tbaseline\tbackbone\t0.964088\t0.000000\t29.9\tkeep\tRemoving gives a clean one\tpartial\tstrip
7392e4d\tarchitecture\tresidual\t0.000000\t0.000000\t0.0\tdiscard\tA residual may help\tno\tstopped early
e1f81c1\trouter\tsigmoid\t0.954935\t0.000054\t29.9\ttentative\tSigmoid may help\tpartial\tchange
"""
KERNEL = """\
experiment\ttag\tkernel_type\tthroughput_tflops\tlatency_us\tcorrectness\tpeak_vram_mb\tdescription
0\tbaseline\tmatmul\t15.135\t7094.65\tPASS\t1603.2\tBaseline
78\tpure_acc\tmatmul\t0.0\t0.0\tFAIL\t0.0\tcompile error
21\tswizzle\tmatmul\t136.8\t785.0\tREVERT\t1603.2\treverted
0\tbaseline\tgemm\t16.295\t20500.0\tFAIL\t1877.7\twrong numbers
13\trename\tinfrastructure\t0\t0\tPASS\t0\trenamed a file
"""
EMPIRICAL = """\
run_id\ttimestamp\tparent_ref\tcandidate_ref\tphase\tmetric_name\tmetric_value\tmetric_direction\tgate_status\tdecision\truntime_minutes\tidea\tfailure_cause
base_1\t2026-05-04T01:45:45Z\tno_git_ref\tno_git_ref\tbaseline\tseparation\t0.90\tmax\tpass\tkeep\t0.01\tbaseline\tnone
it_2\t2026-05-04T01:46:12Z\tbase_1\tcand_2\titerate\tseparation\t0.94\tmax\tpass\tkeep\t0.02\tsimplify\tnone
it_3\t2026-05-04T01:47:05Z\tcand_2\tda09699e86cb6599a68712318e2edbcae7a99925\titerate\tseparation\tNaN\tmin\tfail\tcrash\t45.00\tscan\ttimeout
"""
SCORES = """\
timestamp\tcommit\tstatus\tscore\tbudget_sec\tdescription
2026-05-04\ta1b2c3d\tbaseline\t0\t60\tfirst
2026-05-05T10:00:00+02:00\tb2c3d4e\tkeep\t12\t60\tsecond
"""


def table_of(folder: Path, text: str, metric: str | None = None) -> ResultsTable:
    path = folder / "results.tsv"
    path.write_text(text, "utf-8")
    assert is_results_table(path)
    return read_results_table(path, metric)


def test_the_convention_gives_values_remarks_and_no_value_for_a_crash(tmp_path: Path) -> None:
    table = table_of(tmp_path, CONVENTION)
    first, second, crash = table.runs
    assert (table.metric, table.losses) == ("val_bpb", [])
    assert first == ForeignRun(
        id="a1b2c3d", commit="a1b2c3d", metrics={"val_bpb": 0.9979, "memory_gb": 44.0},
        note="status: keep\ndescription: baseline",
    )  # fmt: skip
    assert second.note == 'status: discard\ndescription: increase "LR" to 0.04'
    assert (crash.status, crash.reason, crash.metrics) == ("failed", "crash", {})
    assert crash.losses == ["`val_bpb` is zero on line 4, which stands for no value"]


def test_rows_of_another_width_are_left_out_with_their_lines_and_a_commit_twice_is_two_runs(tmp_path: Path) -> None:
    table = table_of(tmp_path, DIFFUSION)
    assert table.losses == ["2 rows without the 5 cells of the header: lines 7, 8"]
    assert [run.id for run in table.runs] == ["c0ffee1", "line 3", "line 4", "line 5", "c0ffee1#2"]
    assert [run.commit for run in table.runs] == ["c0ffee1", None, None, None, "c0ffee1"]
    diverged = table.runs[3]
    assert (diverged.status, diverged.metrics) == ("finished", {"memory_gb": 2.5})
    assert diverged.losses == ["`val_fid` is no number on line 5: `DIVERGED`"]
    assert table.runs[4].note == "status: NEW_BEST\ndescription: again"


def test_costs_are_never_the_metric_and_settings_are_params(tmp_path: Path) -> None:
    kept, crash, zero_loss = table_of(tmp_path, RTX).runs
    assert kept.metrics == {
        "val_bpb": 2.33567,
        "memory_gb": 5.5,
        "mfu": 58.1,
        "tok_per_sec": 37700,
        "final_loss": 5.155,
    }
    assert kept.params == {"num_steps": 180, "num_params_M": 162.1, "batch_size": 4}
    assert (crash.metrics, crash.params) == ({}, {})
    assert "final_loss" not in zero_loss.metrics
    assert zero_loss.metrics["val_bpb"] == 1.22758


def test_a_zero_without_a_crash_is_no_value_where_lower_is_better(tmp_path: Path) -> None:
    kept, stopped, tentative = table_of(tmp_path, MOE).runs
    assert kept.metrics == {"val_bpb": 0.964088, "delta_vs_best": 0.0, "memory_gb": 29.9}
    assert kept.params == {"kind": "baseline", "thread": "backbone"}
    assert (stopped.metrics, stopped.status) == ({}, "finished")
    assert tentative.note is not None
    assert "agrees_with_hypothesis: partial" in tentative.note


def test_a_zero_where_higher_is_better_is_a_value_but_beside_a_failure(tmp_path: Path) -> None:
    table = table_of(tmp_path, KERNEL)
    assert table.metric == "throughput_tflops"
    first, failed, reverted, wrong, renamed = table.runs
    assert [run.id for run in table.runs] == ["0", "78", "21", "0#2", "13"]
    assert (first.name, first.params, first.commit) == ("baseline", {"kernel_type": "matmul"}, None)
    assert (failed.status, failed.metrics, failed.reason) == ("failed", {}, "FAIL")
    assert (reverted.status, wrong.status) == ("finished", "finished")
    assert wrong.metrics["throughput_tflops"] == 16.295
    assert renamed.metrics == {"throughput_tflops": 0.0, "peak_vram_mb": 0.0}


def test_a_table_that_names_metric_and_direction_is_believed(tmp_path: Path) -> None:
    table = table_of(tmp_path, EMPIRICAL)
    base, second, crash = table.runs
    assert table.metric is None
    assert (base.metrics, base.directions) == ({"separation": 0.9, "runtime_minutes": 0.01}, {"separation": "higher"})
    assert base.started_at == datetime(2026, 5, 4, 1, 45, 45, tzinfo=UTC)
    assert (base.parent, second.parent, crash.parent) == (None, "base_1", "it_2")
    assert (crash.status, crash.reason, crash.directions) == ("failed", "timeout", {"separation": "lower"})
    assert crash.commit == "da09699e86cb6599a68712318e2edbcae7a99925"
    assert "separation" in crash.metrics  # NaN is what was measured
    assert base.params == {"phase": "baseline"}


def test_a_zero_in_a_column_of_unknown_direction_is_a_value(tmp_path: Path) -> None:
    first, second = table_of(tmp_path, SCORES).runs
    assert (first.metrics, first.params, first.started_at) == (
        {"score": 0.0}, {"budget_sec": 60}, datetime(2026, 5, 4, tzinfo=UTC),
    )  # fmt: skip
    assert second.started_at == datetime(2026, 5, 5, 8, tzinfo=UTC)


def test_the_metric_can_be_named_and_has_to_be_where_none_is_certain(tmp_path: Path) -> None:
    assert table_of(tmp_path, RTX, "mfu").metric == "mfu"
    with pytest.raises(LedgerError, match="no column `f1`"):
        table_of(tmp_path, RTX, "f1")
    with pytest.raises(LedgerError, match="certainly its metric") as caught:
        table_of(tmp_path, "commit\tmemory_gb\tstatus\na1b2c3d\t4\tkeep\n")
    assert caught.value.hint == "name one of them: commit, memory_gb, status"


def test_windows_lines_marks_repeated_headers_and_blank_lines_are_no_rows(tmp_path: Path) -> None:
    text = "\ufeff" + CONVENTION.replace("\n", "\r\n\r\n") + "commit\tval_bpb\tmemory_gb\tstatus\tdescription\r\n"
    table = table_of(tmp_path, text)
    assert ([run.id for run in table.runs], table.losses) == (["a1b2c3d", "b2c3d4e", "c3d4e5f"], [])
    assert table.runs[0].note == "status: keep\ndescription: baseline"


def test_a_header_alone_has_no_runs(tmp_path: Path) -> None:
    assert table_of(tmp_path, CONVENTION.split("\n", maxsplit=1)[0]) == ResultsTable([], [], None)


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", "x\ty\n1\t2\n", "loss\tacc\tlr\n1\t2\t3\n"])
def test_other_tables_are_not_taken_for_one(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.tsv"
    path.write_text(text)
    assert not is_results_table(path)
    assert not is_results_table(tmp_path)


@pytest.mark.parametrize("text", [CONVENTION, EMPIRICAL])
def test_a_damaged_table_gives_what_is_left_or_one_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "results.tsv"
    path.write_text(text)

    def read(store: Path) -> Iterator[ForeignRun]:
        yield from read_results_table(store).runs

    assert len(outcome(read, path)) == 3  # type: ignore[arg-type]  # runs, as the table is whole
    assert endure(read, path, path) == []
