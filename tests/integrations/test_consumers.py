"""Exports as their real consumers take them: MLflow, W&B, and the validators of each format."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.formats.trackers.wandb_file import read_wandb_file
from ledger.model.record import Record
from ledger.store.branch.branch import Branch
from tests.integrations.conftest import CRATE_PYTHON, PYTHON
from tests.real.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
Make = Callable[..., Project]


@pytest.fixture
def there(project: Make) -> Project:
    """Make a ledger of two runs, one of which failed."""
    made = project()
    (made.folder / "curves.csv").write_text("step,train/loss,seconds\n1,0.5,1\n2,0.25,2\n3,nan,3\n")
    facts = [
        "-e",
        "digits",
        "-p",
        "lr=0.1",
        "-p",
        "opt=adam",
        "-n",
        "a note",
        "-t",
        "good",
        "-d",
        "validation:v@v1=data/validation",
    ]
    times = ["--started", "2025-03-01T10:00:00Z", "--duration", "30"]
    made.run("ledger", "record", *facts, *times, "-m", "validation/accuracy=0.9", "--curves", "curves.csv")
    made.run("ledger", "record", "-e", "digits", *times, "--status", "failed", "--because", "out of memory")
    return made


def exported(there: Project, target: str) -> Path:
    there.run("ledger", "export", "--to", target, "-o", f"out/{target}")
    return there.folder / "out" / target


def asked(script: str, *arguments: object, python: str = PYTHON) -> str:
    """Return what a script prints in the environment of the consumers, or another."""
    done = subprocess.run(
        [python, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def records(folder: Path) -> list[Record]:
    return [run.record for run in Branch.open(folder).contents().runs]


def test_mlflow_migrates_the_store_and_the_runs_come_back(there: Project, tmp_path: Path) -> None:
    store = exported(there, "mlflow")
    database = tmp_path / "mlflow.db"
    there.run(
        "env", "MLFLOW_DISABLE_TELEMETRY=true", "mlflow", "migrate-filestore",
        "--source", str(store / "mlruns"), "--target", f"sqlite:///{database}",
    )  # fmt: skip
    script = (
        "import json, sys, mlflow; client = mlflow.MlflowClient(sys.argv[1]);"
        "runs = client.search_runs([one.experiment_id for one in client.search_experiments()]);"
        "seen = [[one.info.run_name, one.info.status, one.info.start_time, one.data.params] for one in runs];"
        "print(json.dumps(seen))"
    )
    seen = {name: rest for name, *rest in json.loads(asked(script, f"sqlite:///{database}").splitlines()[-1])}
    before = there.records()
    for record in before:
        status, start, params = seen[record.id]
        assert status == {"finished": "FINISHED", "failed": "FAILED"}[record.status]
        assert start == round(record.timing.started_at.timestamp() * 1000)
        assert params == {name: str(value) for name, value in record.params.values.items()}
    there.run("git", "init", "--quiet", "other")
    there.run("git", "-C", "other", "commit", "--quiet", "--allow-empty", "--message", "x")
    there.run("ledger", "-C", "other", "import", str(database))
    after = {
        str(record.note).splitlines()[0].removeprefix("named "): record for record in records(there.folder / "other")
    }
    for record in before:
        back = after[record.id]
        assert back.params.values == record.params.values
        assert (back.experiment, back.status, back.tags) == (record.experiment, record.status, record.tags)
        assert back.timing.started_at == record.timing.started_at
        assert set(back.statistics.series) == set(record.statistics.series)


def test_wandb_makes_offline_runs_of_the_script(there: Project, tmp_path: Path) -> None:
    folder = exported(there, "wandb")
    there.run(
        "env",
        "WANDB_MODE=offline",
        f"WANDB_DIR={tmp_path}",
        "WANDB_SILENT=true",
        PYTHON,
        str(folder / "make_offline_runs.py"),
    )
    found = {run.id: run for run in read_wandb_file(tmp_path / "wandb")}
    for record in there.records():
        run = found[record.id]
        assert run.experiment == record.experiment
        assert run.params == record.params.values
        logged = [(scalar.step, repr(scalar.value)) for scalar in run.scalars if scalar.tag == "train/loss"]
        assert logged == ([(1, "0.5"), (2, "0.25"), (3, "nan")] if record.status == "finished" else [])


def test_the_bill_of_materials_keeps_its_schema(there: Project) -> None:
    script = (
        "import sys; from cyclonedx.schema import SchemaVersion;"
        "from cyclonedx.validation.json import JsonStrictValidator;"
        "print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()))"
    )
    assert asked(script, exported(there, "cyclonedx") / "bom.cdx.json").strip() == "None"


def test_the_crate_keeps_the_rules_of_its_profile(there: Project) -> None:
    # The context is on the web; its terms that the crate uses stand here.
    script = """
import sys
import rdflib.plugins.shared.jsonld.context as jsonld
from rocrate_validator import models, services
from rocrate_validator.utils import document_loader
terms = {"@vocab": "http://schema.org/", "File": "http://schema.org/MediaObject",
         "conformsTo": {"@id": "http://purl.org/dc/terms/conformsTo"}}
near = jsonld.source_to_json
def local(source, *given, **named):
    found = str(source).startswith("https://w3id.org/ro/crate/")
    return ({"@context": terms}, None) if found else near(source, *given, **named)
jsonld.source_to_json = document_loader._original_source_to_json = local
result = services.validate(services.ValidationSettings(
    rocrate_uri=sys.argv[1], profile_identifier="process-run-crate", requirement_severity=models.Severity.REQUIRED,
    disable_remote_crate_download=True,
))
web = {"ro-crate-1.1_3.1", "ro-crate-1.1_3.2"}  # whether the context can be fetched
issues = [one for one in result.get_issues() if one.check.identifier not in web]
print([f"{one.check.identifier}: {one.message}" for one in issues])
"""
    assert asked(script, exported(there, "ro-crate"), python=CRATE_PYTHON).strip().splitlines()[-1] == "[]"


def test_prov_reads_its_document(there: Project) -> None:
    script = (
        "import sys; from prov.model import ProvDocument, ProvActivity;"
        "document = ProvDocument.deserialize(sys.argv[1], format='json');"
        "print(len(list(document.get_records(ProvActivity))))"
    )
    assert asked(script, exported(there, "prov") / "prov.json").strip() == "2"


def test_croissant_accepts_the_description_of_a_dataset(there: Project) -> None:
    (file,) = exported(there, "croissant").iterdir()
    script = "import sys, mlcroissant; print(mlcroissant.Metadata.from_file(mlcroissant.Context(), sys.argv[1]).name)"
    assert asked(script, file).strip().splitlines()[-1] == "v-v1"
