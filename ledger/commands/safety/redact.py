"""`ledger redact`: remove a leaked secret from the ledger's history."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from ledger.commands.output import say, write_json
from ledger.commands.workplace import open_ledger
from ledger.errors import LedgerError, UsageError
from ledger.model.entries import Redaction
from ledger.model.values import counted
from ledger.repository.repository import remotes
from ledger.store.branch.branch import Branch
from ledger.store.integrity.redaction import Redacted, redact
from ledger.store.integrity.redaction_plan import Needles, Plan, plan_redaction
from ledger.store.integrity.redaction_search import find_unsent
from ledger.store.sync.remote_tip import REMEMBERED

_SHOWN = 20


@click.command("redact")
@click.option(
    "--file", "files", multiple=True, metavar="PATH", help="Remove a whole file on the branch, such as a figure."
)
@click.option("--found", is_flag=True, help="Remove what looks like a secret from entries that were not sent yet.")
@click.option("--because", "reason", metavar="TEXT", help="Reason; everybody can read it in the tombstone.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def redact_command(
    files: tuple[str, ...], found: bool, reason: str | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Replace a secret in every file and message of the ledger's history, in this clone.

    The secret is asked for, or read from standard input, one per line: never give it as an argument. History from the
    first commit with the secret on is rewritten; a tombstone states which files were changed, by whom and why, and
    `ledger verify` proves that nothing else was. What remains to do at remotes and in other clones is printed.

    `--found` repairs a clone whose push is refused for a secret: nobody has to type it, and where nobody else has seen
    it, no tombstone is left.

    Example: ledger redact --because "an API key in the log of a run" < secret.txt
    """
    ledger = open_ledger(writing=True)
    secrets, files = _choose(ledger, files, found=found)
    if found and not (secrets or files):
        say("no unsent entry holds anything that looks like a secret; nothing was changed")
        return
    if not reason and not dry_run:
        raise UsageError("a redaction needs a reason", hint='ledger redact --because "what leaked, and where from"')
    needles = Needles(secrets)
    plan = plan_redaction(ledger, needles, files)
    if plan.empty:
        say("no file or commit message in the ledger's history holds it; nothing was changed")
        return
    _print_plan(plan)
    if dry_run:
        if as_json:
            write_json(plan.files)
        return
    if not yes:
        _ask(typed=bool(secrets), found=found)
    done = redact(ledger, plan, needles, reason=reason or "", now=datetime.now(UTC))
    if as_json:
        write_json(done)
    _print_result(ledger, plan, done)


def _choose(ledger: Branch, files: tuple[str, ...], *, found: bool) -> tuple[list[str], tuple[str, ...]]:
    """Return the secrets and the files to remove."""
    if found:
        unsent = find_unsent(ledger)
        return unsent.texts, (*files, *unsent.files)
    secrets = [] if files else _prompt()
    if not secrets and not files:
        raise UsageError("no secret and no file to redact was given", hint="ledger redact --because TEXT < secret.txt")
    return secrets, files


def _ask(*, typed: bool, found: bool) -> None:
    if (typed or found) and not sys.stdin.isatty():
        hint = "ledger redact --found --yes …" if found else "ledger redact --yes … < secret.txt"
        raise UsageError("cannot ask for confirmation: standard input is not a terminal", hint=hint)
    click.confirm("Rewrite this history? Every other clone must follow", abort=True, err=True)


def _prompt() -> list[str]:
    if sys.stdin.isatty():
        return [click.prompt("Secret", hide_input=True, err=True)]
    try:
        return [line for line in (line.strip("\r\n") for line in sys.stdin) if line]
    except UnicodeDecodeError as error:
        raise LedgerError("the secret is not text", hint="ledger redact --file PATH takes out a whole file") from error


def _print_plan(plan: Plan) -> None:
    for file in plan.files[:_SHOWN]:
        say(f"holds it: {file.path}")
    if len(plan.files) > _SHOWN:
        say(f"and {len(plan.files) - _SHOWN} more files")
    if plan.commits:
        say(f"holds it: the message of {counted(plan.commits, 'commit')}")


def _print_result(ledger: Branch, plan: Plan, done: Redacted) -> None:
    if done.redaction is None:
        say(f"redacted {counted(len(plan.files), 'file')} that nobody else has seen, so no tombstone is needed")
    else:
        say(f"redacted {counted(len(plan.files), 'file')}; the tombstone is {done.redaction.id}")
    for name in done.refs:
        say(f"warning: this ref still reaches the old history, secret included: {name}")
    if done.remain:
        say(f"warning: {len(done.remain)} objects that hold it could not be removed from this clone")
    say("")
    if done.redaction is None:
        say("next: ledger sync; and revoke the secret where somebody may have seen it: logs, terminals, backups")
        return
    for number, step in enumerate(_steps(ledger, plan, done.redaction), start=1):
        say(f"{number}. {step}")


def _steps(ledger: Branch, plan: Plan, redaction: Redaction) -> Iterator[str]:
    """Yield the remaining steps, in order, and what cannot be undone."""
    branch = ledger.ref
    yield "Revoke the secret now. Whoever saw it has it; nothing below changes that."
    for name in sorted(remotes(ledger.repository.config(r"^remote\..*\.url$"))):
        yield f"Replace the history at {name}: git push --force-with-lease={branch}:{plan.tip} {name} {branch}"
        yield f"Replace what {name} remembers of the old history: git push --force {name} {branch}:{REMEMBERED}"
        for one in redaction.checkpoints:
            yield f"Delete the checkpoint of the old history there: git push {name} --delete refs/tags/{one.name}"
        yield f"Empty its inbox, so that no old entry stays there: ledger sync {name}"
    if redaction.checkpoints:
        yield "Make a checkpoint of the new history: ledger checkpoint"
    yield "In every other clone: ledger sync REMOTE --accept-redaction (entries not sent yet are kept, on top)"
    yield "Build and publish the site again: ledger site build; old pages at the host must be removed there."
    yield (
        "What stays: hosts keep unreachable commits, pull requests, forks and caches until their support removes "
        "them; your own branches, refs/ledger/kept, CI logs, backups and mirrors were not looked at; base64, "
        "pictures and archives that hold the secret are not recognised (--file takes out a whole file)."
    )
