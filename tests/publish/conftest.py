"""One built site of the samples, shared by the tests that only look at it."""

from pathlib import Path

import pytest

from ledger.model.entries import Contents
from ledger.publish.site.build import build_site
from tests.samples import Blobs, sample_ledger, sample_log, sample_reader


@pytest.fixture(scope="session")
def ledger() -> tuple[Contents, Blobs]:
    return sample_ledger()


@pytest.fixture(scope="session")
def built(ledger: tuple[Contents, Blobs], tmp_path_factory: pytest.TempPathFactory) -> Path:
    contents, blobs = ledger
    output = tmp_path_factory.mktemp("site") / "out"
    report = build_site(
        contents,
        sample_reader(blobs),
        sample_log(contents),
        output,
        title="Digits <lab>",
        repository_url="https://example.org/vision/digits",
    )
    assert report.problems == ()
    return output
