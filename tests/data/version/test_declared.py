"""A declared name never passes for content, and what can be read is never taken for a mere name."""

from pathlib import Path

import pytest

from ledger.data.version.declared import identity_of_declared, is_declared, nothing_at
from ledger.errors import NotFound
from ledger.model.values import is_declared_hash


@pytest.mark.parametrize(
    ("address", "declared"),
    [
        ("gym://CartPole-v1", True),
        ("hub://cifar10", True),
        ("HUB://x", True),
        ("my+own.store-2://a/b\nc", True),
        ("s3://bucket/x", False),
        ("S3://bucket/x", False),
        ("file:///x", False),
        ("tar://x", False),
        ("simplecache::s3://bucket/x", False),
        ("data/raw", False),
        ("hub://", False),
        ("://x", False),
        ("1hub://x", False),
        ("C:\\data", False),
        ("", False),
    ],
)
def test_only_an_address_of_no_known_store_is_a_declaration(address: str, declared: bool) -> None:  # noqa: FBT001  # of pytest
    assert is_declared(address) is declared


@pytest.mark.parametrize(
    ("name", "version", "address", "identity"),
    [
        ("cifar", "2", "", "declared:cifar@2"),
        ("cifar", "2", "hub://other", "declared:cifar@2"),
        ("cifar", None, "hub://cifar", "declared:hub://cifar"),
        (None, "2", "hub://cifar", "declared:hub://cifar"),
        (None, None, "hub://ada:secret@host/cifar?token=secret", "declared:hub://host/cifar"),
        (None, None, "hub://host/a@b", "declared:hub://host/a@b"),
        ("cifar", None, "", None),
        ("", "", "", None),
        (None, None, "s3://bucket/x", None),
        (None, None, "data/raw", None),
    ],
)
def test_the_identity_comes_from_name_and_version_else_from_the_address_without_its_secrets(
    name: str | None, version: str | None, address: str, identity: str | None
) -> None:
    assert identity_of_declared(name, version, address) == identity
    assert identity is None or is_declared_hash(identity)


def test_a_missing_name_is_offered_a_declaration_and_a_missing_path_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    offered = nothing_at("CartPole")
    assert isinstance(offered, NotFound)
    assert "run.dataset('CartPole', declared=" in offered.message
    assert "ROLE:cartpole@VERSION=hub://CartPole" in offered.message
    for path in ("data/raw", "x.csv", "-x", "é"):
        assert "declared" not in nothing_at(path).message
    (tmp_path / "gone").symlink_to("nowhere")
    assert "declared" not in nothing_at("gone").message, "something is there, though it leads nowhere"
