"""Which paths an entry may have, beyond what hostile proposals try."""

import pytest

from ledger.store.integrity.path_rules import wrong_path

FIGURES = "runs/2026/11/20/20261120-194812-000001/figures"


@pytest.mark.parametrize(
    "path",
    [
        f"{FIGURES}/{'a' * 196}.png",  # a name may have 200 characters, and a path more
        f"datasets/{'a' * 200}/{'b' * 200}/dataset.json",
        f"{FIGURES}/-.png",
    ],
)
def test_a_path_of_an_entry_is_let_be_however_long(path: str) -> None:
    assert wrong_path(path) is None


@pytest.mark.parametrize(
    ("path", "why"),
    [
        (f"{FIGURES}/{'a' * 197}.png", "it is too deep or too long"),
        (f"datasets/digits/{'a' * 201}/dataset.json", "it is too deep or too long"),
        (f"{FIGURES}/deeper/a.png", "it is too deep or too long"),
        ("runs/2026/11/20/20261120-194812-000001/x/y", "no entry has a path like this"),
        (f"{FIGURES}/a..png", "it leads out of its folder"),
        ("datasets/./v1/dataset.json", "it leads out of its folder"),
        ("datasets/../v1/dataset.json", "it leads out of its folder"),
        ("datasets/digits/v1/pictures/..a.png", "it leads out of its folder"),
        ("datasets/.git/v1/dataset.json", "git reserves this name"),
        ("cases/.git/20261120-194812-000001.json", "git reserves this name"),
        ("manifests/.github/v1/0/0.jsonl", "git reserves this name"),
        ("datasets/.x/v1/dataset.json", "no entry has a path like this"),
        ("datasets/x./v1/dataset.json", "no file can have this name on Windows"),
        ("datasets/x/v1./dataset.json", "no file can have this name on Windows"),
        ("format:x", "Windows would read it as another path"),
        ("format\\x", "Windows would read it as another path"),
    ],
)
def test_a_path_that_looks_like_one_of_an_entry_and_is_none_is_told_by_its_reason(path: str, why: str) -> None:
    said = wrong_path(path) or ""
    assert said.endswith(why)
