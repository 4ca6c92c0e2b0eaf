"""Where entries live: one place for each, by date, and no name leads out of it."""

from collections.abc import Callable

import pytest

from ledger.errors import LedgerError
from ledger.model.paths import (
    ENTRY_FOLDERS,
    case_path,
    dataset_path,
    evaluation_path,
    is_agreed,
    note_path,
    picture_path,
    redaction_path,
    run_of,
    run_path,
    shards_path,
    signature_path,
)
from ledger.model.values import check_slug

ID = "20261120-194812-aaaaaa"
PATHS: dict[Callable[[], str], str] = {
    lambda: run_path(ID): f"runs/2026/11/20/{ID}",
    lambda: evaluation_path(ID): f"evaluations/2026/11/20/{ID}.json",
    lambda: note_path(ID): f"notes/2026/11/20/{ID}.json",
    lambda: redaction_path(ID): f"redactions/2026/11/20/{ID}.json",
    lambda: case_path("digits", ID): f"cases/digits/{ID}.json",
    lambda: dataset_path("digits", "v2"): "datasets/digits/v2",
    lambda: picture_path("digits", "v2", "a.png"): "datasets/digits/v2/pictures/a.png",
}


@pytest.mark.parametrize(("make", "path"), PATHS.items(), ids=lambda one: one if isinstance(one, str) else "")
def test_every_entry_has_one_place_in_a_folder_of_entries(make: Callable[[], str], path: str) -> None:
    assert make() == path
    assert path.startswith(ENTRY_FOLDERS)


def test_the_shards_of_a_manifest_lie_beside_the_entries_and_not_among_them() -> None:
    assert shards_path("digits", "v2") == "manifests/digits/v2"
    assert not shards_path("digits", "v2").startswith(ENTRY_FOLDERS)


def test_a_signature_lies_beside_what_it_signs_under_sixteen_digits() -> None:
    assert signature_path("notes/x.json", "0123456789abcdef0123") == "notes/x.json.0123456789abcdef.sig"


@pytest.mark.parametrize("bad", ["", "x", "../../etc", "20261120-194812-AAAAAA", "20261120-194812-aaaaaa/.."])
def test_a_malformed_id_makes_no_path(bad: str) -> None:
    for make in (run_path, evaluation_path, note_path, redaction_path, lambda one: case_path("digits", one)):
        with pytest.raises(LedgerError, match="not an id"):
            make(bad)


@pytest.mark.parametrize(
    "path", ["runs/record.json", "record.json", "runs/2025/11/20/20261120-194812-aaaaaa/record.json"]
)
def test_only_a_record_in_its_place_names_a_run(path: str) -> None:
    assert run_of("runs/2026/11/20/20261120-194812-aaaaaa/record.json") == "20261120-194812-aaaaaa"
    assert run_of(path) is None


@pytest.mark.parametrize("bad", ["", "..", "a/b", "A", "a b", "ü", ".git", "-x", "a..b", "a.", "a\n", "a" * 200])
def test_a_name_that_cannot_stand_in_a_path_is_refused_with_one_that_can(bad: str) -> None:
    with pytest.raises(LedgerError, match="must be lower-case") as caught:
        dataset_path(bad, "v1")
    offered = str(caught.value.hint).split("`")[1]
    assert check_slug("dataset name", offered) == offered


@pytest.mark.parametrize(
    "make",
    [
        lambda bad: dataset_path("digits", bad),
        lambda bad: shards_path(bad, "v1"),
        lambda bad: shards_path("digits", bad),
        lambda bad: picture_path("digits", "v1", bad),
        lambda bad: case_path(bad, ID),
    ],
)
@pytest.mark.parametrize("bad", ["../..", "a/b", ".git"])
def test_no_part_of_a_path_leads_elsewhere(make: Callable[[str], str], bad: str) -> None:
    with pytest.raises(LedgerError, match="must be lower-case"):
        make(bad)


@pytest.mark.parametrize(
    ("path", "agreed"),
    [
        ("policy.yaml", True),
        (".github/workflows/ledger-check.yml", True),
        (".forgejo/workflows/ledger-site.yml", True),
        (".gitlab-ci.yml", True),
        (".github/workflows/ledger-.yml", False),
        (".github/workflows/ledger-check.yaml", False),
        (".github/workflows/other.yml", False),
        (".github/workflows/ledger-a/b.yml", False),
        ("runs/policy.yaml", False),
        (".gitlab-ci.yml.bak", False),
        (".gitlab-ci.yml\n", False),
    ],
)
def test_only_the_policy_and_the_workflows_of_the_ledger_are_agreed_on(path: str, agreed: bool) -> None:  # noqa: FBT001  # of pytest
    assert is_agreed(path) == agreed
