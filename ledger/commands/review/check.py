"""`ledger check`: everything that is wrong with a proposal, before it enters the ledger."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
import msgspec

from ledger.commands.output import echo, say
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.model.characters import escaped
from ledger.model.document import encode
from ledger.model.values import counted
from ledger.repository.history.walk import contains
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.branch.policy import Policy
from ledger.store.integrity.check import Checked, check_range

Form = Literal["text", "json", "sarif", "github", "gitlab"]
"""Output format of findings."""


@click.command("check")
@click.argument("what", nargs=-1, metavar="[RANGE|BRANCH|FILE...]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "sarif", "github", "gitlab"]),
    default="text",
    help="Output format of findings: for people, or for a program.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write to a file.")
@click.option("--strict", is_flag=True, help="Exit with 1 on warnings, too.")
def check_command(what: tuple[str, ...], form: Form, as_json: bool, output: str | None, strict: bool) -> int:
    """Check what is proposed for the ledger: everything that is wrong with it, at once.

    Without an argument, it checks what the local ledger has and the remote's lacks; without a remote, everything.
    With a range (A..B) or a branch, it checks what that adds; A is trusted, and its policy applies. With files, or -
    for standard input, it checks single documents. Exit code 1 when something is wrong.

    Example: ledger check origin/ledger...HEAD --strict
    """
    for word in what:
        if word.startswith("-") and word != "-":
            raise UsageError(f"not a range, a branch or a file: `{ascii(word)[1:-1]}`", hint="ledger check --help")
    files = [word for word in what if word == "-" or Path(word).is_file()]
    if files and len(files) == len(what):
        checked = _check_files(files)
    elif len(what) > 1:
        missing = next((word for word in what if word not in files), what[-1])
        raise UsageError(
            f"give one range or one branch, or only files: `{ascii(missing)[1:-1]}`", hint="ledger check --help"
        )
    else:
        checked = _check_commits(Branch.open(), what[0] if what else None)
    _write(_rendered(checked, "json" if as_json else form), output)
    _print_summary(checked)
    return 1 if not checked.ok or (strict and checked.findings) else 0


def _check_commits(ledger: Branch, what: str | None) -> Checked:
    repository = ledger.repository
    theirs = _remote_tip(ledger)
    if what is None or repository.resolve(what) == repository.resolve(ledger.ref) is not None:
        tip = repository.resolve(ledger.ref) or ledger.tip()
        if tip is None:
            raise NotFound("there is no ledger yet", hint="ledger init")
        since = theirs if repository.resolve(ledger.ref) else None
        return check_range(repository, tip, since, ref=ledger.ref, proposed=True)
    old, dots, new = what.partition("..")
    if dots:
        if not old:
            raise UsageError(
                f"a range needs the commit that it starts from: `{ascii(what)[1:-1]}`",
                hint=f"ledger check COMMIT{dots}{new}",
            )
        _warn_of_range(repository, old, new.lstrip(".") or "HEAD")
        return check_range(repository, new.lstrip(".") or "HEAD", old, ref=ledger.ref, proposed=True)
    base = theirs or repository.resolve(ledger.ref)
    return check_range(repository, _branch(repository, what), base, ref=f"refs/heads/{what}", proposed=True)


def _warn_of_range(repository: Repository, old: str, new: str) -> None:
    """Warn when the end of a range does not contain its beginning, as git itself does not."""
    since, tip = repository.resolve(old), repository.resolve(new)
    if since is None or tip is None or contains(repository, tip, since):
        return
    names = ascii(new)[1:-1], ascii(old)[1:-1]
    if contains(repository, since, tip):
        say(f"{names[0]} is behind {names[1]}: {names[1]} contains all of it, so there is nothing to check")
    else:
        say(f"{names[0]} and {names[1]} have diverged: what {names[0]} adds since they parted is checked")


def _branch(repository: Repository, name: str) -> str:
    for candidate in (f"refs/heads/{name}", name, f"refs/remotes/{name}", f"refs/remotes/origin/{name}"):
        if (commit := repository.resolve(candidate)) is not None:
            return commit
    raise NotFound(f"no such branch, range or file: `{ascii(name)[1:-1]}`", hint="git fetch")


def _remote_tip(ledger: Branch) -> str | None:
    """Return the tip of a remote's ledger, as this clone knows it: of `origin`, else of the first remote with one."""
    out = ledger.repository.git.output("for-each-ref", "--format=%(refname)", f"refs/remotes/*/{ledger.branch}")
    names = [name for name in out.decode("utf-8", "surrogateescape").splitlines() if name.count("/") == 3]  # noqa: PLR2004  # a ref below the branch is no ledger
    origin = f"refs/remotes/origin/{ledger.branch}"
    chosen = origin if origin in names else next(iter(names), None)
    return ledger.repository.resolve(chosen) if chosen else None


def _check_files(files: Sequence[str]) -> Checked:
    from ledger.store.integrity.check.single_document import check_document

    try:
        policy = Branch.open().policy
    except LedgerError:
        policy = Policy()  # no ledger here, or an unreadable policy: the defaults apply
    most = policy.limits.record_bytes + 1
    found = []
    for name in files:
        if name == "-":
            data = sys.stdin.buffer.read(most)
        else:
            with Path(name).open("rb") as file:
                data = file.read(most)
        found.append(check_document(data, name, policy))
    findings = tuple(finding for one in found for finding in one.findings)
    return Checked(findings=findings, commits=0, entries=len(files), runs=())


def _rendered(checked: Checked, form: Form) -> str:
    from ledger.commands.review import check_reports as reports

    match form:
        case "text":
            return reports.render_text(checked)
        case "github":
            return reports.render_github(checked)
        case "json":
            # Defaults are left out of documents; readers of findings want every field.
            findings = [{name: getattr(one, name) for name in one.__struct_fields__} for one in checked.findings]
            return _json({**msgspec.structs.asdict(checked), "ok": checked.ok, "findings": findings})
        case "sarif":
            return _json(reports.sarif_report(checked))
        case "gitlab":
            return _json(reports.gitlab_report(checked))


def _json(value: object) -> str:
    return escaped(msgspec.json.format(encode(value), indent=2).decode()) + "\n"


def _write(text: str, output: str | None) -> None:
    if output is None:
        echo(text, nl=False)
        return
    Path(output).write_text(text, encoding="utf-8")


def _print_summary(checked: Checked) -> None:
    """Print in a line what was checked, with the result."""
    looked = counted(checked.entries, "entry")
    if checked.commits:
        looked += f" in {counted(checked.commits, 'commit')}"
    errors = sum(finding.severity == "error" for finding in checked.findings)
    warnings = len(checked.findings) - errors
    said = [counted(count, noun) for count, noun in ((errors, "error"), (warnings, "warning")) if count]
    say(f"{looked}: {', '.join(said) or 'nothing is wrong'}")
