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
    "tests/capture/test_secrets.py",
    "tests/capture/test_secret_kinds.py",
    "tests/capture/test_secret_surroundings.py",
    "tests/capture/test_secret_places.py",
    "tests/capture/test_own_secrets.py",
    "tests/capture/test_secret_limits.py",
)

PARTS = {
    "trust": Part(
        (
            "ledger/store/shapes.py",
            "ledger/store/rules.py",
            "ledger/store/trees.py",
            "ledger/store/verify/*.py",
            "ledger/store/check/growth.py",
            "ledger/store/redaction_proof.py",
            "ledger/store/redactions.py",
            "ledger/store/vouching.py",
            "ledger/store/law.py",
            "ledger/store/incoming.py",
            "ledger/store/join.py",
            "ledger/store/pushed.py",
            "ledger/store/relation.py",
            "ledger/store/remembered.py",
        ),
        ("tests/store",),
        (
            "tests/model/test_claims.py",
            "tests/store/test_refusals.py",
            "tests/commands/test_server_hooks.py",
            "tests/commands/test_check.py",
            "tests/commands/test_propose.py",
        ),
    ),
    "documents": Part(
        ("ledger/model/document.py", "ledger/model/claims.py"),
        ("tests/model", "tests/store/check", "tests/store/test_contract.py"),
    ),
    "answers": Part(
        (
            "ledger/analysis/comparable.py",
            "ledger/analysis/verdict.py",
            "ledger/analysis/noise.py",
            "ledger/analysis/leaderboard.py",
        ),
        ("tests/analysis",),
    ),
    "secrets": Part(
        ("ledger/capture/secrets.py", "ledger/capture/secret_*.py", "ledger/capture/own_secrets.py"),
        _SECRETS,
        (*_SECRETS, "-k", "not linear_time"),  # what is kept from text to text hides which lines a test would run alone
    ),
}
