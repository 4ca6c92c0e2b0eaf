"""The page of a run of which values were found, or that was imported: each says where it comes from."""

from datetime import UTC, datetime

import msgspec
import pytest

from ledger.model.entries import Contents
from ledger.model.record import ImportOrigin
from ledger.publish.pages import addresses
from ledger.publish.pages.run_page import render_run
from ledger.publish.site.site_data import survey
from tests.samples import HOSTILE, Blobs, sample_ledger, sample_reader


@pytest.fixture(scope="module")
def ledger() -> tuple[Contents, Blobs]:
    return sample_ledger()


def rendered(ledger: tuple[Contents, Blobs], **changes: object) -> tuple[str, dict[str, bytes]]:
    """Return the page of the first run with some fields changed, and its files."""
    contents, blobs = ledger
    run = contents.runs[0]
    record = msgspec.structs.replace(run.record, **changes)
    shown = msgspec.structs.replace(run, record=record)
    page, _, files = render_run(shown, survey(contents, [], None), sample_reader(blobs))
    return page.content, files


def test_found_values_say_where(ledger: tuple[Contents, Blobs]) -> None:
    params = msgspec.structs.replace(ledger[0].runs[0].record.params, found={"lr": "argv", "depth": HOSTILE})
    html, _ = rendered(ledger, params=params)
    assert "lr in <code>argv</code>" in html
    assert "<script>alert" not in html


def test_epochs_without_steps_are_told_alone(ledger: tuple[Contents, Blobs]) -> None:
    statistics = msgspec.structs.replace(ledger[0].runs[0].record.statistics, steps=None, epochs=2.0)
    html, _ = rendered(ledger, statistics=statistics)
    assert ">2 epochs<" in html
    assert "None2" not in html


def test_an_imported_run_names_its_store_and_its_losses(ledger: tuple[Contents, Blobs]) -> None:
    origin = ImportOrigin(
        tracker="mlflow", id=HOSTILE, store="mlflow.db", content="blake3:0", author="ada", reader="git-ledger",
        at=datetime(2026, 1, 1, tzinfo=UTC), losses=["artifacts"],
    )  # fmt: skip
    html, _ = rendered(ledger, imported=origin)
    assert "from mlflow" in html
    assert "in mlflow.db, by ada" in html
    assert "<strong>not kept</strong>: artifacts" in html
    assert "<script>alert" not in html


def test_a_run_is_there_for_machines_without_addresses_of_people(ledger: tuple[Contents, Blobs]) -> None:
    html, files = rendered(ledger)
    record = ledger[0].runs[0].record
    for kind in ("ro-crate", "cdx", "prov"):
        path = addresses.run_document(record.id, kind)
        assert f"{record.id}.{kind}.json" in html
        assert msgspec.json.decode(files[path])
        assert record.author.email.encode() not in files[path]
