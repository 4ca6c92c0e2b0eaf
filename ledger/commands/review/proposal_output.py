"""Sending of a proposal, and opening of its pull request where the host allows it."""

from ledger.analysis.judging.review import proposal_title
from ledger.commands.output import say, write_json
from ledger.commands.sending import announce_first_push
from ledger.model.values import Document, plain
from ledger.recorder.statements.proposal import Opened, open_proposal, push_proposal
from ledger.store.branch.branch import Branch
from ledger.store.review.proposals import PROPOSALS, read_proposed


class OpenedProposal(Document, frozen=True, kw_only=True):
    """The output of `ledger propose --json`."""

    name: str
    """Name of the proposal."""
    branch: str
    """Branch of the proposal."""
    runs: list[str]
    """Runs that it adds."""
    opened: Opened
    """Result of sending it."""


def send(
    ledger: Branch, name: str, runs: list[str], *, opening: bool, push: bool | None, seconds: float, as_json: bool
) -> None:
    """Send a proposal and open its pull request; a failure is one line, since the proposal is safe locally.

    Raises:
        LedgerError: `ledger.host` is set to an unknown host.
    """
    place = Branch(ledger.repository, f"{PROPOSALS}{name}")
    announce_first_push(ledger, push=push)
    opened = push_proposal(place, push=push, timeout_seconds=seconds)
    if opened.pushed and opening:
        asked = open_proposal(ledger, name, proposal_title(read_proposed(ledger, name).runs), _body(name, runs))
        opened = Opened(pushed=opened.pushed, url=asked.url, by_hand=asked.by_hand, problem=asked.problem)
    if as_json:
        write_json(OpenedProposal(name=name, branch=place.branch, runs=runs, opened=opened))
        return
    _print_opened(place, name, opened)


def send_branch(ledger: Branch, name: str, title: str, *, push: bool | None, seconds: float) -> None:
    """Send a proposal that adds no run, such as a change of the policy, and open its pull request.

    Raises:
        LedgerError: `ledger.host` is set to an unknown host.
    """
    place = Branch(ledger.repository, f"{PROPOSALS}{name}")
    opened = push_proposal(place, push=push, timeout_seconds=seconds)
    if opened.pushed:
        asked = open_proposal(ledger, name, title, f"{title}\n\nWhat it changes stands in the diff of `policy.yaml`.")
        opened = Opened(pushed=opened.pushed, url=asked.url, by_hand=asked.by_hand, problem=asked.problem)
    _print_opened(place, name, opened)


def _print_opened(place: Branch, name: str, opened: Opened) -> None:
    if opened.problem:
        say(f"warning: the proposal is safe here, but {opened.problem}")
    if opened.url:
        say(f"opened {plain(opened.url)}")
    elif opened.by_hand and "://" in opened.by_hand:
        say(f"next: open the pull request: {plain(opened.by_hand)}")
    elif opened.pushed:
        say(f"sent to {opened.pushed}; next: ledger review {name}")
    elif not opened.problem:
        say(f"it is only here; next: git push REMOTE {place.branch}, or: ledger review {name}")


def _body(name: str, runs: list[str]) -> str:
    shown = "\n".join(f"- `{run}`" for run in runs[:50])
    more = f"\n- and {len(runs) - 50} more" if len(runs) > 50 else ""  # noqa: PLR2004  # the number shown
    return f"Runs that this proposal adds to the ledger:\n\n{shown}{more}\n\nTo review: `ledger review {name}`"
