"""`ledger verify`: verify the whole ledger."""

from collections.abc import Iterator

import click

from ledger.commands.output import echo, one_line, say, write_json
from ledger.errors import NotFound
from ledger.model.values import counted
from ledger.repository.blobs import blob_reader
from ledger.store.branch.branch import Branch
from ledger.store.integrity.redaction_approval import accept_named
from ledger.store.integrity.verify import Verification, verify
from ledger.store.integrity.verify.last_verified import remembered
from ledger.store.sync.remote_tip import recall

_PATIENCE_SECONDS = 10.0
"""Longest wait for a remote that is asked what it remembers."""

_HINTS = 5
"""Most distinct fixes that are shown."""
_WARNINGS = 20
"""Most warnings that are shown; `--json` has up to fifty of each rule."""


@click.command("verify")
@click.option("--since", metavar="COMMIT", help="Verify only the history after this commit.")
@click.option("--all", "whole", is_flag=True, help="Verify everything, whatever a signed checkpoint vouches for.")
@click.option(
    "--accept-redaction",
    "accepted",
    multiple=True,
    metavar="ID",
    help="Accept a redaction that nobody signed, in this clone.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_command(since: str | None, whole: bool, accepted: tuple[str, ...], as_json: bool) -> int:
    """Verify that the ledger only ever grew, and that its content agrees with its records.

    Every commit is compared with every parent; every document is read and every hash recomputed. Exit code 1
    when something is wrong, or there is no ledger. What came before a checkpoint that a signer of policy.yaml signed is
    not checked again. A clone that has not verified before asks the remote what it remembers of the branch.

    Example: ledger verify --all
    """
    ledger = Branch.open()
    if accepted:
        accept_named(ledger, accepted)
    recalled = recall(ledger, _PATIENCE_SECONDS) if remembered(ledger) is None else None
    with blob_reader(ledger.repository) as read_blob:
        verdict = verify(ledger, read_blob, since, whole=whole, recalled=recalled)
    if verdict.tip is None and verdict.clean:
        raise NotFound("there is no ledger to verify", hint="ledger init, or in a clone: git fetch origin; ledger sync")
    if as_json:
        write_json(verdict)
        return 0 if verdict.clean else 1
    errors = [finding for finding in verdict.findings if finding.severity == "error"]
    warnings = [finding for finding in verdict.findings if finding.severity == "warning"]
    for finding in (*errors, *warnings[:_WARNINGS]):
        commit = f"{finding.commit[:10]} " if finding.commit else ""
        weight = "warning: " if finding.severity == "warning" else ""
        echo(one_line(f"{weight}{commit}{finding.path or ledger.ref}: {finding.message}"))
    if len(warnings) > _WARNINGS:
        say(f"and {counted(len(warnings) - _WARNINGS, 'warning')} more: ledger verify --json")
    for hint in list(dict.fromkeys(finding.hint for finding in errors if finding.hint))[:_HINTS]:
        say(one_line(f"hint: {hint}"))
    for one in verdict.redactions:
        what = f"{one.id} of {counted(one.files, 'file')}, {one.redacted_at:%Y-%m-%d}, by {one.author}"
        vouched = one.vouched or "nobody vouches for it"
        say(one_line(f"relies on redaction {what}: {one.reason.splitlines()[0]} ({vouched})"))
    for unseen in verdict.open:
        say(f"cannot tell: {unseen}")
    walked = ", ".join(_scope_lines(verdict))
    say(f"{walked}: {_count_text(len(errors), len(warnings))}")
    return 0 if verdict.clean else 1


def _count_text(errors: int, warnings: int) -> str:
    told = f" ({counted(warnings, 'warning')})" if warnings else ""
    return f"{counted(errors, 'finding')}{told}" if errors else f"nothing is wrong{told}"


def _scope_lines(verdict: Verification) -> Iterator[str]:
    since = f" since {verdict.since[:10]}" if verdict.since else ""
    yield f"{counted(verdict.entries, 'entry')} in {counted(verdict.commits, 'commit')}{since}"
    for count, what in ((verdict.checkpoints, "checkpoint"), (len(verdict.redactions), "redaction")):
        if count:
            yield counted(count, what)
    if verdict.signatures:
        yield f"{verdict.signatures} signed"
