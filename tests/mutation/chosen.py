"""Which files decide, and which tests have to notice a fault in each."""

from typing import NamedTuple


class Part(NamedTuple):
    """Files that decide one thing, and the tests that hold them."""

    files: tuple[str, ...]
    """Paths or patterns, from the root of the checkout."""
    tests: tuple[str, ...]
    """Files and folders of tests."""
    beyond: tuple[str, ...] = ()
    """Tests that run these files in processes of their own, where nobody sees which lines, or hold what is a list."""


_SECRETS = (
    "tests/capture/secrets/test_redactor.py",
    "tests/capture/secrets/test_kinds.py",
    "tests/capture/secrets/test_surroundings.py",
    "tests/capture/secrets/test_places.py",
    "tests/capture/secrets/test_team_rules.py",
    "tests/capture/secrets/test_limits.py",
)

PARTS = {
    "trust": Part(
        (
            "ledger/store/integrity/path_rules.py",
            "ledger/store/integrity/rules.py",
            "ledger/store/integrity/tree_rules.py",
            "ledger/store/integrity/verify/*.py",
            "ledger/store/integrity/check/append_only.py",
            "ledger/store/integrity/redaction_proof.py",
            "ledger/store/integrity/tombstones.py",
            "ledger/store/integrity/redaction_approval.py",
            "ledger/store/integrity/policy_rights.py",
            "ledger/store/sync/fetch_check.py",
            "ledger/store/sync/join.py",
            "ledger/store/sync/receive_rules.py",
            "ledger/store/sync/remote_identity.py",
            "ledger/store/sync/remote_tip.py",
        ),
        ("tests/store",),
        (
            "tests/model/claims/test_rules.py",
            "tests/store/sync/test_refusals.py",
            "tests/commands/safety/test_server_hooks.py",
            "tests/commands/review/test_check.py",
            "tests/commands/review/test_propose.py",
        ),
    ),
    "documents": Part(
        ("ledger/model/document.py", "ledger/model/claims/rules.py"),
        ("tests/model", "tests/store/integrity/check", "tests/store/branch/test_contract.py"),
    ),
    "answers": Part(
        (
            "ledger/analysis/comparing/comparable.py",
            "ledger/analysis/judging/verdict.py",
            "ledger/analysis/judging/noise.py",
            "ledger/analysis/comparing/leaderboard.py",
        ),
        ("tests/analysis",),
    ),
    "secrets": Part(
        ("ledger/capture/secrets/redactor.py", "ledger/capture/secrets/*.py", "ledger/capture/secrets/team_rules.py"),
        _SECRETS,
        (*_SECRETS, "-k", "not linear_time"),  # what is kept from text to text hides which lines a test would run alone
    ),
}
