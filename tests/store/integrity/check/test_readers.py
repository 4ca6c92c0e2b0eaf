"""Five readers give one answer: verify with and without its memory, check, review, and a server's hook.

The whole corpus goes through each. What only some can know is said in `UNSEEN`, and nothing else may differ.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import pytest

from ledger.errors import LedgerError
from ledger.repository.blobs import blob_reader
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.integrity.check import check_range
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.rules import RULES
from ledger.store.integrity.verify import verify
from ledger.store.integrity.verify.last_verified import forget, remember
from ledger.store.sync.receive_rules import Update, check_received
from tests.conftest import git_in
from tests.store.integrity.check.corpus import CORPUS, Hostile
from tests.store.integrity.check.forge import Forge, Proposed, good_ledger

pytestmark = pytest.mark.timeout(60)

ARRIVING = {name for name, rule in RULES.items() if rule.arriving}
"""Rules of what arrives: `verify` does not ask them of what stands."""
UNSEEN = {
    # Nothing on the branch tells that it held more once: memory, a checkpoint or another clone must.
    "verify fresh": {"a force push", "a rewound branch", "an unrelated branch"},
    # A proposal need not contain the tip that it is proposed to.
    "review": {"a force push", "a rewound branch", "a branch that begins with a dash"},
    "server": {"a branch that begins with a dash"},
}
"""What a reader cannot know, by what it is asked."""
UNASKED = {"a branch that begins with a dash", "a run that stands already under another id"}
"""What `verify` is not asked: the name of another branch, and whether a run was just recorded twice."""


class Answer(NamedTuple):
    """What a reader says of a proposal."""

    weight: str
    """`refused`, `warned` or `ok`."""
    rules: frozenset[str]
    """The rules that it breaks by that weight; none where it cannot say more than that."""


def answer_of(findings: Sequence[Finding]) -> Answer:
    for weight, word in (("error", "refused"), ("warning", "warned")):
        rules = frozenset(one.rule for one in findings if one.severity == weight)
        assert rules <= RULES.keys()
        if rules:
            return Answer(word, rules)
    return Answer("ok", frozenset())


@contextmanager
def standing(forge: Forge, made: Proposed) -> Iterator[Branch]:
    """Let the branch stand where a proposal would put it."""
    git_in(forge.folder, "update-ref", "refs/heads/ledger", made.tip)
    try:
        yield Branch.open(forge.folder)
    finally:
        git_in(forge.folder, "update-ref", "refs/heads/ledger", forge.base)


def by_verify(forge: Forge, made: Proposed, *, memory: bool) -> Answer:
    with standing(forge, made) as ledger, blob_reader(ledger.repository) as read_blob:
        forget(ledger)
        if memory and made.since is not None:
            remember(ledger, made.since)
        try:
            # A clone that remembers looks at what came since, as one with a checkpoint does.
            verdict = verify(ledger, read_blob, made.since if memory else None, whole=not memory)
        except LedgerError:
            return Answer("refused", frozenset())  # it is no ledger, or git cannot read it
        finally:
            forget(ledger)
        return answer_of([one for one in verdict.findings if one.rule not in ARRIVING])


def by_check(forge: Forge, made: Proposed) -> Answer:
    return answer_of(check_range(Repository.discover(forge.folder), made.tip, made.since, ref=made.ref).findings)


def by_review(forge: Forge, made: Proposed) -> Answer:
    repository = Repository.discover(forge.folder)
    return answer_of(check_range(repository, made.tip, made.since, ref="refs/heads/ledger", proposed=True).findings)


def by_server(forge: Forge, made: Proposed) -> Answer:
    update = Update(ref="refs/heads/ledger", old=made.since, new=made.tip)
    refusals = check_received(Repository.discover(forge.folder), [update])
    return Answer("refused" if refusals else "ok", frozenset())


READERS: dict[str, Callable[[Forge, Proposed], Answer]] = {
    "verify with memory": lambda forge, made: by_verify(forge, made, memory=True),
    "verify fresh": lambda forge, made: by_verify(forge, made, memory=False),
    "check": by_check,
    "review": by_review,
    "server": by_server,
}


@pytest.mark.parametrize("hostile", CORPUS, ids=lambda one: one.name)
def test_five_readers_give_one_answer(hostile: Hostile) -> None:
    forge = good_ledger()
    proposed = hostile.make(forge)
    made = proposed if isinstance(proposed, Proposed) else Proposed(tip=proposed, since=forge.base)
    weight = "ok" if hostile.rule is None else {"error": "refused", "warning": "warned"}[hostile.weight]
    for name, read in READERS.items():
        answer = read(forge, made)
        if hostile.name in UNSEEN.get(name, ()):
            continue
        if name.startswith("verify") and (hostile.rule in ARRIVING or hostile.name in UNASKED):
            continue
        if hostile.rule is None and hostile.name not in CLEAN:
            assert answer.weight != "refused", name
            continue
        if name == "server":
            assert (answer.weight == "refused") == (weight == "refused"), name
            continue
        assert answer.weight == weight, name
        assert not answer.rules or hostile.rule in answer.rules, name


CLEAN = {one.name for one in CORPUS if one.rule is None} - {"markup in every field"}
"""What is let pass without a word."""


def test_what_readers_cannot_know_is_in_the_corpus() -> None:
    names = {one.name for one in CORPUS}
    assert UNASKED | set().union(*UNSEEN.values()) <= names
    assert set(RULES) - {one.rule for one in CORPUS} <= {"redaction", "checkpoint", "index"}
    assert {one.rule for one in CORPUS if one.rule} <= set(RULES)
