"""What we offer to the pre-commit framework is what it documents, and runs."""

from typing import Any

import yaml

from ledger.cli import program
from tests.conftest import ROOT

KEYS = {
    "id", "name", "entry", "language", "alias", "files", "exclude", "types", "types_or", "exclude_types",
    "additional_dependencies", "always_run", "description", "language_version", "minimum_pre_commit_version", "args",
    "require_serial", "pass_filenames", "stages", "verbose", "fail_fast", "log_file",
}  # fmt: skip
"""Keys of a hook (https://pre-commit.com/#new-hooks)."""


def hooks() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    return loaded


def test_every_key_is_documented() -> None:
    for hook in hooks():
        assert hook.keys() <= KEYS
        assert hook.keys() >= {"id", "name", "entry", "language"}


def test_the_check_runs_before_every_push() -> None:
    (hook,) = [one for one in hooks() if one["id"] == "ledger-check"]
    assert hook["stages"] == ["pre-push"]
    assert (hook["always_run"], hook["pass_filenames"], hook["language"]) == (True, False, "python")
    command, verb = hook["entry"].split()
    assert command == "ledger"
    assert verb in program.verbs
