"""A run or experiment as one file: nothing is loaded, nothing leads to a page that is not there, pictures are in it."""

import base64
import hashlib
import re
from pathlib import Path

import pytest

from ledger.model.entries import Contents, StoredRun
from ledger.publish.site.single_page import render_single, render_single_experiment
from ledger.publish.site.site_data import Atlas, survey
from ledger.publish.text import visible
from ledger.store.branch.branch import Branch
from tests.conftest import Cli
from tests.publish.pages.test_pages import Page
from tests.samples import Blobs, sample_ledger, sample_log, sample_reader


@pytest.fixture(scope="module")
def ledger() -> tuple[Contents, Blobs]:
    return sample_ledger()


@pytest.fixture(scope="module")
def atlas(ledger: tuple[Contents, Blobs]) -> Atlas:
    return survey(ledger[0], sample_log(ledger[0]), "https://example.org/team/digits")


def alone(run: StoredRun, atlas: Atlas, blobs: Blobs) -> str:
    return render_single(run, atlas, sample_reader(blobs), title="Digits <lab>", tip="1" * 40).decode()


def test_every_run_is_a_file_that_refers_to_nothing_beside_it(ledger: tuple[Contents, Blobs], atlas: Atlas) -> None:
    pictures = 0
    for run in atlas.runs:
        html = alone(run, atlas, ledger[1])
        page = Page(html)
        assert not [tag for tag, _ in page.tags if tag in {"script", "link", "iframe", "object", "base"}]
        for tag, attributes in page.tags:
            source, address = attributes.get("src"), attributes.get("href")
            assert source is None or source.startswith("data:image/"), (tag, source)
            assert address is None or address.startswith(("#", "https://", "mailto:")), (tag, address)
            pictures += tag == "img"
            assert not [name for name in attributes if name.startswith("on")]
            if address and address.startswith("#"):
                assert address[1:] in page.ids, address
        assert "url(" not in re.sub(r'url\("data:', "", html.partition("</style>")[0])
        assert run.record.id in page.text
        assert "Digits <lab>" in page.text
    assert pictures > 0


def test_an_experiment_is_a_file_whose_scripts_are_known_by_their_hashes(
    ledger: tuple[Contents, Blobs], atlas: Atlas
) -> None:
    for name in atlas.experiments:
        html = render_single_experiment(name, atlas, sample_reader(ledger[1]), title="Digits", tip=None).decode()
        scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
        assert html.count("<script") == html.count("</script") == len(scripts) > 0
        policy = html.partition('http-equiv="Content-Security-Policy" content="')[2].partition('"')[0]
        hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
        (allowed,) = (part for part in policy.split("; ") if part.startswith("script-src "))
        assert allowed.split()[1:] == [f"'sha256-{one}'" for one in hashes]
        assert policy.startswith("default-src 'none'; ")
        page = Page(re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL))
        for tag, attributes in page.tags:
            assert attributes.get("src") is None or tag == "img"
            assert (attributes.get("href") or "#").startswith(("#", "https://", "mailto:")), (tag, attributes)
            assert not [one for one in attributes if one.startswith("on")]
        assert visible(name) in page.text


def test_the_same_run_gives_the_same_bytes(ledger: tuple[Contents, Blobs], atlas: Atlas) -> None:
    assert alone(atlas.runs[0], atlas, ledger[1]) == alone(atlas.runs[0], atlas, ledger[1])


def test_the_command_writes_it_and_replaces_nothing_unasked(repo: Path, cli: Cli) -> None:
    assert cli("record", "-e", "digits", "-m", "validation/accuracy=0.9", "--no-push").code == 0
    (run,) = Branch.open(repo).contents().runs
    done = cli("site", "export", "--single", run.record.id[16:])
    file = repo / f"{run.record.id}.html"
    assert done.code == 0
    assert f"wrote {file.name}" in done.err
    before = file.read_bytes()
    assert b"digits" in before
    again = cli("site", "export", "--single", run.record.id)
    assert again.code == 2
    assert "the file is there already" in again.err
    assert file.read_bytes() == before
    assert cli("site", "export", "--single", run.record.id, "--force", "--json").code == 0
    nobody = cli("site", "export", "--single", "zzzzzz")
    assert nobody.code == 1
    assert "zzzzzz" in nobody.err
    assert cli("site", "export").code == 2


def test_a_folder_that_cannot_be_is_said_in_one_line(repo: Path, cli: Cli) -> None:
    cli("record", "-e", "digits", "-m", "validation/accuracy=0.9", "--no-push")
    (run,) = Branch.open(repo).contents().runs
    done = cli("site", "export", "--single", run.record.id, "-o", "/dev/full/run.html")
    assert done.code == 1
    assert "cannot be written" in done.err
