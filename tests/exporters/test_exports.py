"""Exports: the same bytes each time, nothing that leads out of the folder, and what other readers make of them."""

import json
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from ledger.analysis.data.curves import load_curves
from ledger.capture.outputs.curves import read_curves
from ledger.exporters.exported_run import Exported, ExportedRun
from ledger.exporters.targets import TARGETS
from ledger.formats.trackers.mlflow_files import read_mlflow_files
from ledger.formats.trackers.tensorboard_folder import read_tensorboard_folder
from ledger.formats.yaml_file import load_yaml
from ledger.model.entries import StoredRun
from ledger.model.paths import CURVES_FILE
from ledger.recorder.foreign.foreign_draft import foreign_draft
from ledger.store.branch.branch import Branch
from tests.conftest import Cli
from tests.sample_runs import Blobs, digits_runs, hostile_run


@pytest.fixture
def runs() -> list[ExportedRun]:
    blobs: Blobs = {}
    return [exported(run, blobs) for run in (*digits_runs(blobs), hostile_run(blobs))]


def exported(run: StoredRun, blobs: Blobs) -> ExportedRun:
    blob = run.files.get(CURVES_FILE)
    return ExportedRun(run.record, load_curves(blobs[blob], CURVES_FILE) if blob else [])


def written(made: Exported, folder: Path) -> Path:
    for name, data in made.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_runs_give_the_same_bytes(runs: Sequence[ExportedRun], target: str) -> None:
    assert TARGETS[target].render(runs) == TARGETS[target].render(runs)


@pytest.mark.parametrize("target", TARGETS)
def test_no_name_leads_out_of_the_folder(runs: Sequence[ExportedRun], target: str, tmp_path: Path) -> None:
    for name in TARGETS[target].render(runs).files:
        path = (tmp_path / name).resolve()
        assert path.is_relative_to(tmp_path), name
        assert all(part not in {"", ".", ".."} for part in name.split("/")), name


@pytest.mark.parametrize("target", TARGETS)
def test_every_document_is_well_formed(runs: Sequence[ExportedRun], target: str) -> None:
    made = TARGETS[target].render(runs)
    assert made.files
    assert made.losses
    for name, data in made.files.items():
        if name.endswith(".json"):
            json.loads(data)
        elif name.endswith((".yaml", ".yml")):
            assert load_yaml(data.decode(), name)


def test_curves_values_times_and_params_come_back_from_mlflow(runs: Sequence[ExportedRun], tmp_path: Path) -> None:
    folder = written(TARGETS["mlflow"].render(runs), tmp_path)
    there = {run.name: run for run in read_mlflow_files(folder)}
    assert len(there) == len(runs)
    for run in runs:
        record, found = run.record, there[run.record.id]
        now = record.timing.recorded_at
        draft = foreign_draft(found, tracker="mlflow", store="mlruns", now=now)
        assert abs((draft.started_at - record.timing.started_at).total_seconds()) < 0.001
        assert abs((draft.ended_at - record.timing.ended_at).total_seconds()) < 0.001
        assert found.author == record.author.name
        assert (found.note or None) == (record.note or None)
        assert found.commit == (record.code.commit or "").removeprefix("git:") or None
        assert len(found.params) == len(record.params.values)
        logged = [pair for point in run.points for pair in point.values.items()]
        series = {name for name, _ in logged}
        back = sorted((scalar.tag, repr(scalar.value)) for scalar in found.scalars if scalar.tag in series)
        finals = [
            (metric.key, repr(float(metric.value)))
            for metric in record.results.metrics
            if metric.key in series and metric.origin != "curve"
        ]
        assert back == sorted([*((name, repr(float(value))) for name, value in logged), *finals])
        stated = {metric.key: float(metric.value) for metric in record.results.metrics if metric.origin != "curve"}
        for key, value in stated.items():
            if key not in series and key.isascii():
                assert repr(found.metrics[key]) == repr(value)


def test_names_that_mlflow_would_keep_in_one_file_each_get_their_own(
    runs: Sequence[ExportedRun], tmp_path: Path
) -> None:
    record = runs[0].record
    names = ["a", "a/b", "a/b/c", "x\U0001f600", "x\U0001f680", "a_2", "n" * 300, "n" * 299 + "m", "../up"]
    params = msgspec.structs.replace(record.params, values={name: at for at, name in enumerate(names)})
    made = TARGETS["mlflow"].render([ExportedRun(msgspec.structs.replace(record, params=params), [])])
    (there,) = read_mlflow_files(written(made, tmp_path))
    assert sorted(there.params.values()) == list(range(len(names)))  # type: ignore[type-var]  # all are numbers
    assert any("they get a number" in loss for loss in made.losses)


def test_curves_come_back_from_tensorboard_in_32_bits(runs: Sequence[ExportedRun], tmp_path: Path) -> None:
    folder = written(TARGETS["tensorboard"].render(runs), tmp_path)
    there = {Path(run.id).name: run for run in read_tensorboard_folder(folder)}
    for run in (one for one in runs if one.points):
        found = there[run.record.id]
        logged = [(name, value) for point in run.points for name, value in point.values.items()]
        back = [(scalar.tag, scalar.value) for scalar in found.scalars]
        assert [name for name, _ in back] == [name for name, _ in logged]
        assert [value for _, value in back] == pytest.approx([value for _, value in logged], rel=1e-6, nan_ok=True)


def test_tensorboards_own_reader_reads_every_point(runs: Sequence[ExportedRun], tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder = written(TARGETS["tensorboard"].render(runs), tmp_path)
    for run in (one for one in runs if one.points):
        (home,) = folder.glob(f"*/{run.record.id}")
        events = accumulator.EventAccumulator(str(home), size_guidance={"scalars": 0})
        events.Reload()
        ours = read_curves(home)
        for name in events.Tags()["scalars"]:
            theirs = [(event.step, event.value) for event in events.Scalars(name)]
            expected = [(point.step, point.values[name]) for point in ours.points if name in point.values]
            assert repr(theirs) == repr(expected)


def test_a_crate_names_only_what_it_holds(runs: Sequence[ExportedRun]) -> None:
    files = TARGETS["ro-crate"].render(runs).files
    graph = json.loads(files["ro-crate-metadata.json"])["@graph"]
    nodes = {node["@id"] for node in graph}
    assert len(nodes) == len(graph)
    root = next(node for node in graph if node["@id"] == "./")
    assert {part["@id"] for part in root["hasPart"]} == files.keys() - {"ro-crate-metadata.json"}
    for node in (one for one in graph if one["@type"] == "CreateAction"):
        for field in ("object", "result"):
            assert {one["@id"] for one in node[field]} <= nodes
        assert node["agent"]["@id"] in nodes
        assert node["instrument"]["@id"] in nodes


def test_a_folder_is_written_whole_and_never_over_another(repo: Path, cli: Cli) -> None:
    cli("record", "-p", "lr=0.1", "-m", "validation/accuracy=0.5", "--duration", "3")
    (run,) = Branch.open(repo).contents().runs
    done = cli("export", run.record.id[16:], "--to", "mlflow", "-o", "out/there")
    assert done.code == 0, done.err
    assert done.err.splitlines()[0] == "wrote 1 run for mlflow to out/there"
    assert "next: mlflow migrate-filestore --source mlruns" in done.err
    assert (repo / "out/there/mlruns").is_dir()
    assert [path.name for path in (repo / "out").iterdir()] == ["there"]
    again = cli("export", "--to", "prov", "-o", "out/there")
    assert (again.code, again.err.splitlines()[0]) == (1, "error: there is something already: `out/there`")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--to", "mlflow"), "--to writes a folder"),
        (("--to", "mlflow", "--format", "csv", "-o", "x"), "--to writes a folder"),
        (("--to", "nothing", "-o", "x"), "nothing"),
        (("status = failed", "--to", "prov", "-o", "x"), "no run matches the filter"),
        (("zzz", "--to", "prov", "-o", "x"), "no run"),
    ],
)
def test_a_wrong_export_writes_nothing(repo: Path, cli: Cli, arguments: Sequence[str], message: str) -> None:
    cli("record", "-m", "validation/accuracy=0.5", "--duration", "3")
    done = cli("export", *arguments)
    assert done.code in {1, 2}
    assert message in done.err
    assert not (repo / "x").exists()
