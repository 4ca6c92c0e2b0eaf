"""The check of signatures of entries, and of checkpoints that history must still contain."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from ledger.errors import InvalidDocument
from ledger.model import paths
from ledger.model.entries import Redaction
from ledger.repository.history.walk import CommitStep, contains
from ledger.repository.repository import Repository
from ledger.repository.signing import Signers
from ledger.store.branch.policy import Signatures, load_policy
from ledger.store.integrity.checkpoint import Checkpoint, root_of
from ledger.store.integrity.findings import Finding
from ledger.store.integrity.redaction_proof import Steps
from ledger.store.integrity.signatures import entries_of, is_signature, payload
from ledger.store.integrity.verify.contents import Hashes
from ledger.store.sync.join import entries_in


class Signed:
    """Checks the signatures of entries, and counts the good ones.

    Args:
        repository: repository with the history.
        policy: whose signatures count, and whether every entry needs one.
        hashes: hashes of every file on the branch.
        read_blob: returns the content of a blob id.
        replaced: paths that a redaction replaced, whose signatures are void.
    """

    def __init__(
        self,
        repository: Repository,
        policy: Signatures,
        hashes: Hashes,
        read_blob: Callable[[str], bytes],
        replaced: Collection[str],
    ) -> None:
        self.repository = repository
        self.policy = policy
        self.hashes = hashes
        self.read_blob = read_blob
        self.replaced = replaced
        self.good = 0

    def check(
        self, changed: Iterable[str], steps: Sequence[CommitStep], dates: Mapping[str, datetime]
    ) -> Iterator[Finding]:
        """Yield entries that lack a required signature, and signatures that do not match.

        Args:
            changed: paths of the entries to check.
            steps: commits that added them, newest first.
            dates: commit time by path.
        """
        policy = self.policy
        if not policy.signers and not policy.required:
            return
        looked_at = entries_of(sorted(self.hashes.tree))
        wanted = [document for document in entries_of(sorted(changed)) if document in looked_at]
        exempt = self._exempt(steps) if policy.required else set(wanted)
        signed: list[str] = []
        unsigned: list[str] = []
        for document in wanted:
            (signed if any(map(self._counts, looked_at[document])) else unsigned).append(document)
        for document in unsigned:
            if document not in exempt:
                yield Finding(
                    rule="signature",
                    path=document,
                    message="not signed, although the policy asks for it; its author can sign it: ledger sign",
                    hint="ledger sign",
                )
        with Signers(policy.signers) as signers, ThreadPoolExecutor(os.cpu_count()) as pool:
            asked = [self._question(document, looked_at[document], dates) for document in signed]
            for document, names in zip(signed, pool.map(lambda one: _signers_of(signers, *one), asked), strict=True):
                self.good += any(names)
                if not all(names):
                    yield Finding(
                        rule="signature",
                        path=document,
                        message="a signature does not match: the entry changed since, or no listed signer signed it",
                    )

    def _question(
        self, document: str, files: Sequence[str], dates: Mapping[str, datetime]
    ) -> tuple[bytes, list[tuple[bytes, datetime]]]:
        """Return the payload, and each signature with its commit time."""
        said = {path: content for path in files if (content := self.hashes.of(path)) is not None}
        signatures = [path for path in files if self._counts(path)]
        now = max(dates.values(), default=datetime.now().astimezone())
        return payload(document, said), [
            (self.read_blob(self.hashes.tree[path]), dates.get(path, now)) for path in signatures
        ]

    def _counts(self, path: str) -> bool:
        return is_signature(path) and path not in self.replaced

    def _exempt(self, steps: Sequence[CommitStep]) -> set[str]:
        """Return the documents from before the policy required signatures."""
        asking = None
        for step in steps:  # newest first
            for change in step.changes:
                if change.path != paths.POLICY_FILE or change.status == "D":
                    continue
                if not self._asks(change.blob):
                    return self._before(asking, steps)
                asking = step.commit
        return self._before(asking, steps)

    def _asks(self, blob: str) -> bool:
        try:
            return load_policy(self.read_blob(blob)).signatures.required
        except InvalidDocument:
            return True

    def _before(self, asking: str | None, steps: Sequence[CommitStep]) -> set[str]:
        if asking is None:
            return set()
        out = self.repository.git.output("rev-list", "--end-of-options", asking, "--").decode()
        before = set(out.split())
        return {
            change.path for step in steps if step.commit in before for change in step.changes if change.status == "A"
        }


def _signers_of(signers: Signers, said: bytes, signatures: Sequence[tuple[bytes, datetime]]) -> list[str | None]:
    return [signers.signer(said, signature, at) for signature, at in signatures]


def check_checkpoints(
    repository: Repository,
    tip: str,
    checkpoints: Sequence[Checkpoint],
    redactions: Mapping[str, Redaction],
) -> Iterator[Finding]:
    """Yield checkpoints that history no longer contains, except those that a redaction rewrote faithfully."""
    again = {one.before: one for redaction in redactions.values() for one in redaction.checkpoints}
    for checkpoint in checkpoints:
        said = again.get(checkpoint.commit)
        if said is None and not contains(repository, tip, checkpoint.commit):
            yield Finding(
                rule="checkpoint",
                path=f"refs/tags/{checkpoint.name}",
                commit=checkpoint.commit,
                message="the branch no longer contains this checkpoint: it was rewound or rewritten",
            )
        elif said is not None and (said.entries, said.root) != (checkpoint.entries, checkpoint.root):
            yield Finding(
                rule="redaction",
                path=f"refs/tags/{checkpoint.name}",
                commit=checkpoint.commit,
                message="a redaction names another content of this checkpoint than it has",
            )


def check_roots(
    repository: Repository,
    checkpoints: Sequence[Checkpoint],
    redactions: Mapping[str, Redaction],
    read_blob: Callable[[str], bytes],
    contained: Callable[[str], bool],
) -> Iterator[Finding]:
    """Yield checkpoints whose count or root does not match their commit, or the commit that replaces it."""
    steps = Steps(list(redactions.values()))
    stated = {(f"refs/tags/{one.name}", one.commit, one.entries, one.root) for one in checkpoints}
    stated |= {
        (path, one.before, one.entries, one.root)
        for path, redaction in redactions.items()
        for one in redaction.checkpoints
    }
    stood = steps.first()
    for path, before, entries, root in sorted(stated):
        commit = steps.last_commit(before)
        if not contained(commit):
            if commit != before:
                said = "the history does not contain the commit by which a redaction replaced its own"
                yield Finding(rule="redaction", path=path, commit=commit, message=said)
            continue  # else reported already
        tree = repository.read_tree(commit)
        if len(entries_in([file.path for file in tree])) != entries:
            yield Finding(
                rule="checkpoint",
                path=path,
                commit=commit,
                message="the number of entries that it states is wrong",
            )
        if root_of(tree, read_blob, stood if commit != before else None) != root:
            yield Finding(
                rule="checkpoint",
                path=path,
                commit=commit,
                message="its root is not that of the entries: something was changed",
            )
