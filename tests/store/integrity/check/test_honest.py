"""What recording lets through, checking lets through: two lists of what is a secret would keep honest runs off."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import LedgerError
from ledger.model.ids import new_id
from ledger.model.paths import RECORD_FILE, run_path
from ledger.model.record import Link
from ledger.model.values import check_label
from ledger.recorder.record.recorder import build_entry, capture_now
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import Policy
from ledger.store.integrity.check.single_document import check_document
from tests.conftest import examples
from tests.recorder.record.test_record import draft

NAMES = [
    "token", "auth", "password", "db.password", "api_key", "hf_token", "max_tokens", "clientSecret", "secrets.x", "lr",
    "AWS_SECRET_ACCESS_KEY", "credentials.user", "pad_token", "private_key_path", "use_auth", "password_policy", "pwd",
]  # fmt: skip
VALUES = [
    "ghp_" + "a1B2" * 10, "hunter22x", " ", "", "${TOKEN}", "<hidden>", "None", "basic", "abc12345", "x" * 50, "true",
    "https://u:p4ssw0rd@x.y/z", "AKIA" + "A1" * 8, "[redacted: token]", "{{ secret }}", "args.password", "***", "1e-3",
    "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "Bearer " + "a1B2" * 8, "password: x1y2z3w4",
    "token = 'a1b2c3d4e5'", '\\"password\\": \\"x1y2z3w4\\"', "machine x login y password z1z2z3",
]  # fmt: skip

OPTIONS = ["--password", "-Password", "--api-key=", "--token=abc12345"]

names = st.one_of(st.sampled_from(NAMES), st.text(min_size=1, max_size=12))
texts = st.one_of(st.sampled_from(VALUES), st.text(max_size=30))
values = st.one_of(texts, st.integers(-(10**12), 10**12), st.booleans(), st.none(), st.lists(texts, max_size=3))


def is_label(text: str) -> bool:
    try:
        return bool(check_label("tag", text))
    except LedgerError:
        return False


@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    params=st.dictionaries(names, values, max_size=4),
    note=texts,
    reason=texts,
    tags=st.lists(texts.filter(is_label), max_size=2),
    command=st.lists(st.one_of(texts, st.sampled_from(OPTIONS)), max_size=4),
    url=texts.filter(is_label),
)
def test_whatever_is_recorded_passes(
    repo: Path, params: dict[str, Any], note: str, reason: str, tags: list[str], command: list[str], url: str
) -> None:
    ledger = Branch.open(repo)
    now = datetime.now(UTC)
    captured = _CAPTURED.setdefault(str(repo), capture_now(ledger, repo))
    made = draft(
        id=new_id(now, os.urandom(4)), started_at=now, ended_at=now, params=params, note=note, reason=reason, tags=tags,
        command=command, links=[Link(url=url)], captured=captured,
    )  # fmt: skip
    entry, _ = build_entry(ledger, made, strict=True)
    path = f"{run_path(made.id)}/{RECORD_FILE}"
    refused = [one for one in check_document(entry.files[path], path, Policy()).findings if one.severity == "error"]
    assert refused == []


_CAPTURED: dict[str, Any] = {}


@pytest.mark.parametrize("value", VALUES)
def test_a_value_under_every_name_passes(repo: Path, value: str) -> None:
    ledger = Branch.open(repo)
    captured = capture_now(ledger, repo)
    now = datetime.now(UTC)
    made = draft(
        id=new_id(now, os.urandom(4)),
        started_at=now,
        ended_at=now,
        params=dict.fromkeys(NAMES, value),
        captured=captured,
    )
    entry, _ = build_entry(ledger, made, strict=True)
    for path, data in entry.files.items():
        assert check_document(data, path, Policy()).findings == ()
