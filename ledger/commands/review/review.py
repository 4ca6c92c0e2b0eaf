"""`ledger review`: the facts about a proposal for a reviewer, and the decision."""

import sys
from pathlib import Path
from typing import Literal

import click

from ledger.analysis.judging.review import RunReview
from ledger.commands.output import echo, say, write_json
from ledger.commands.sending import push_options
from ledger.commands.workplace import open_ledger
from ledger.errors import NotFound, UsageError
from ledger.model.entries import Note
from ledger.model.values import Document, NoteKind
from ledger.recorder.statements.notes import add_notes
from ledger.recorder.statements.proposal import push_proposal, read_proposals
from ledger.store.branch.branch import Branch
from ledger.store.integrity.check import Finding, check_range
from ledger.store.review.evidence import review_runs
from ledger.store.review.proposals import PROPOSALS, Proposed, read_proposed

_DECISIONS: dict[str, NoteKind] = {"accept": "acceptance", "reject": "rejection", "retest": "retest"}


class Reviewed(Document, frozen=True, kw_only=True):
    """The output of `ledger review --json`."""

    name: str
    """Name of the proposal."""
    base: str
    """Commit of the ledger that it is based on."""
    tip: str
    """Its last commit."""
    runs: list[RunReview]
    """Reviews, one for each run."""
    others: list[str]
    """Paths of the other documents that it adds."""
    findings: list[Finding]
    """Findings of `ledger check`."""


@click.command("review")
@click.argument("what", required=False, metavar="[RANGE|BRANCH|RUN]")
@click.option("--format", "form", type=click.Choice(["terminal", "markdown", "html"]), help="Output format.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write it to a file.")
@click.option("--accept", "decision", flag_value="accept", help="Decide: it may be merged.")
@click.option("--reject", "decision", flag_value="reject", help="Decide: it is not merged.")
@click.option("--retest", "decision", flag_value="retest", help="Decide: it must be repeated first.")
@click.option("--because", "reason", metavar="TEXT", help="Reason for the decision.")
@push_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON; for a decision, its notes.")
def review_command(
    what: str | None,
    form: Literal["terminal", "markdown", "html"] | None,
    output: str | None,
    decision: str | None,
    reason: str | None,
    push: bool | None,
    push_timeout: float,
    as_json: bool,
) -> None:
    """Show the facts about a proposal for a reviewer: the verdict first, then what changed and what is missing.

    A proposal is a branch of `ledger propose`, any branch or range A..B on top of the ledger, or a run that is on the
    ledger already. A decision becomes a note: with the proposal when it is accepted or to be repeated, on the ledger
    when it is rejected.

    Example: ledger review x7k2qf --reject --because "it was tuned on the test set"
    """
    if (decision is None) != (reason is None):
        raise UsageError(
            "a decision needs a reason, and a reason a decision", hint="--accept, --reject or --retest --because TEXT"
        )
    ledger = open_ledger(writing=decision is not None)
    name = what or _only_proposal(ledger)
    if name is None:
        _print_nothing(decision, as_json=as_json)
        return
    proposed = read_proposed(ledger, name)
    if decision is not None and reason is not None:
        notes = _decide(ledger, proposed, decision, reason, push=push, push_timeout=push_timeout)
        if as_json:
            write_json(notes)
        return
    if proposed.merged and not proposed.runs and ".." not in proposed.name:
        raise NotFound(
            f"all of this is on the ledger already: `{ascii(proposed.name)[1:-1]}`", hint="ledger review RUN"
        )
    findings: list[Finding] = []
    if not proposed.merged:
        findings += check_range(ledger.repository, proposed.tip, proposed.base, ref=ledger.ref, proposed=True).findings
    try:
        reviews = review_runs(ledger, proposed)
    except ModuleNotFoundError as error:
        raise UsageError(f"judging needs a package: `{error.name}`", hint="pip install 'git-ledger[data]'") from None
    if as_json:
        write_json(
            Reviewed(
                name=proposed.name,
                base=proposed.base,
                tip=proposed.tip,
                runs=reviews,
                others=list(proposed.others),
                findings=findings,
            )
        )
        return
    _show(_comment(proposed, reviews, findings), form, output)


def _print_nothing(decision: str | None, *, as_json: bool) -> None:
    """Say that no proposal waits; who wants to decide on one gets an error."""
    if decision is not None:
        raise NotFound("no proposal waits for a review", hint="ledger propose RUN, or: ledger review RUN")
    say("no proposal waits for a review; next: ledger propose RUN, or: ledger review RUN")
    if as_json:
        write_json(None)


def _only_proposal(ledger: Branch) -> str | None:
    names = read_proposals(ledger)
    if len(names) < 2:  # noqa: PLR2004  # of several, somebody has to choose
        return names[0] if names else None
    shown = ", ".join(names[:5])
    raise UsageError(f"{len(names)} proposals wait for a review: `{shown}`", hint="ledger review NAME")


def _comment(proposed: Proposed, reviews: list[RunReview], findings: list[Finding]) -> str:
    from ledger.publish.review.comment import ReviewProblem, render_review

    problems = [
        ReviewProblem(text=": ".join(filter(None, (one.path, one.message, one.hint))), fatal=one.severity == "error")
        for one in findings
    ]
    problems += [ReviewProblem(text=text, fatal=True) for text in proposed.problems if not findings]
    return render_review(proposed.name, reviews, others=proposed.others, problems=problems)


def _show(comment: str, form: str | None, output: str | None) -> None:
    text = comment
    if form == "html" or (form is None and output is not None and output.endswith((".html", ".htm"))):
        try:
            from ledger.publish.review.page import render_review_page
        except ImportError as error:
            hint = "pip install 'git-ledger[site]'"
            raise UsageError(f"HTML needs a package: `{error.name}`", hint=hint) from error
        text = render_review_page(comment)
    elif form == "terminal" or (form is None and output is None and sys.stdout.isatty()):
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(_without_html(comment)))
        return
    if output is None:
        echo(text)
        return
    Path(output).write_text(text, encoding="utf-8")
    say(f"wrote {output}")


def _without_html(comment: str) -> str:
    """Return a comment without its marker and its folds, which a terminal cannot show; it has no other HTML."""
    lines = []
    for line in comment.splitlines():
        if line.startswith("<details><summary>"):
            title = line.removeprefix("<details><summary>").removesuffix("</summary>")
            lines += ["", "### " + title.replace("<code>", "`").replace("</code>", "`")]
        elif not line.startswith(("<!--", "</details>")):
            lines.append(line)
    return "\n".join(lines)


def _decide(
    ledger: Branch, proposed: Proposed, decision: str, reason: str, *, push: bool | None, push_timeout: float
) -> list[Note]:
    """Note the decision on every run: on the ledger, or in the proposal with which it is merged."""
    if not proposed.runs:
        raise NotFound(f"this adds no run to decide on: `{ascii(proposed.name)[1:-1]}`")
    kind = _DECISIONS[decision]
    branch = proposed.branch
    with_it = not proposed.merged and kind != "rejection"
    if with_it and branch is None:
        raise UsageError(
            "a decision needs a local branch, not a range or a remote's branch",
            hint=f"git branch {PROPOSALS}NAME {proposed.tip[:12]}, then: ledger review NAME",
        )
    place = Branch(ledger.repository, branch) if with_it and branch else ledger
    notes = []
    for run in proposed.runs:
        (note,) = add_notes(place, run.record.id, kind, [reason], elsewhere=not proposed.merged and not with_it)
        say(f"{kind} of {note.run}: {note.text.strip().splitlines()[0]}")
        notes.append(note)
    sent = push_proposal(place, push=push, timeout_seconds=push_timeout)
    if sent.problem:
        say(f"warning: the decision is safe here, but {sent.problem}")
    return notes
