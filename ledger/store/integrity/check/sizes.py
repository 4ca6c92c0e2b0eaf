"""The limits on sizes of files and entries, checked before anything is read."""

from collections import defaultdict
from collections.abc import Iterator

from ledger.model import paths
from ledger.repository.blobs import ObjectFacts, read_facts
from ledger.store.branch.policy import POLICY_BYTES, Limits
from ledger.store.integrity.check.additions import AddedFile, ProposedChange, owner_of
from ledger.store.integrity.findings import Finding

_SIGNATURE_BYTES = 16 * 1024
"""Largest signature: that of a 16,384-bit RSA key, with the key, has 6 KB."""


class Weighed:
    """The files of a proposal with their sizes.

    Args:
        proposal: the files.
        limits: largest allowed sizes.
    """

    def __init__(self, proposal: ProposedChange, limits: Limits) -> None:
        self.proposal = proposal
        self.limits = limits
        blobs = list(dict.fromkeys(one.blob for one in proposal.added.values()))
        self.facts: dict[str, ObjectFacts | None] = dict(
            zip(blobs, read_facts(proposal.repository, blobs), strict=True)
        )

    def check(self) -> Iterator[Finding]:
        """Yield files that are too large, have no content, or are no regular files."""
        yield from self.missing()
        for one in self.proposal.added.values():
            fact = self.facts[one.blob]
            if fact is None or fact.kind != "blob":
                continue
            limit, name = limit_of(one.path, self.limits)
            if fact.bytes > limit:
                said = f"{fact.bytes:,} bytes, but at most {limit:,} are allowed ({name})"
                yield _finding(one, said, "make it smaller, or raise the limit in policy.yaml by review")
        yield from self._of_entries()

    def missing(self) -> Iterator[Finding]:
        """Yield files that have no content, or are no regular files."""
        for one in self.proposal.added.values():
            fact = self.facts[one.blob]
            if fact is None or fact.kind != "blob":
                what = "its content is missing" if fact is None else f"a {fact.kind} in the place of a file"
                hint = "push again with all objects: git push --no-thin"
                yield Finding(rule="content", path=one.path, commit=one.commit, message=what, hint=hint)

    def readable(self) -> dict[str, AddedFile]:
        """Return the files that are small enough to be read."""
        return {path: one for path, one in self.proposal.added.items() if self._is_small(one)}

    def whole(self) -> dict[str, AddedFile]:
        """Return the files that have content, of any size."""
        facts = self.facts
        return {
            path: one
            for path, one in self.proposal.added.items()
            if (fact := facts[one.blob]) is not None and fact.kind == "blob"
        }

    def _is_small(self, one: AddedFile) -> bool:
        fact = self.facts[one.blob]
        return fact is not None and fact.kind == "blob" and fact.bytes <= limit_of(one.path, self.limits)[0]

    def _of_entries(self) -> Iterator[Finding]:
        totals: dict[str, int] = defaultdict(int)
        for one in self.proposal.added.values():
            fact = self.facts[one.blob]
            if fact is not None and (owner := owner_of(one.path)):
                totals[owner] += fact.bytes
        for owner, total in totals.items():
            if total > self.limits.entry_bytes and owner in self.proposal.added:
                said = f"{total:,} bytes in all its files, but at most {self.limits.entry_bytes:,} are allowed"
                yield _finding(
                    self.proposal.added[owner],
                    f"{said} (limits.entry_bytes)",
                    "keep fewer files, or raise the limit in policy.yaml by review",
                )


def limit_of(path: str, limits: Limits) -> tuple[int, str]:
    """Return the largest size of a file in bytes, and the setting of the policy that limits it."""
    if paths.is_agreed(path):
        return POLICY_BYTES, "policy and workflows"
    if path.endswith(".sig"):
        return _SIGNATURE_BYTES, "a signature"
    if path.endswith(f"/{paths.PATCH_FILE}"):
        # A patch contains removed text as well as added text, and binary content grows by a quarter.
        return 3 * limits.patch_bytes, "three times limits.patch_bytes"
    if path.endswith(f"/{paths.NOTEBOOK_FILE}"):
        return 2 * limits.patch_bytes, "twice limits.patch_bytes"  # sources, and a line above each
    named = {
        ".jsonl": "manifest_bytes",
        f"/{paths.CURVES_FILE}": "curves_bytes",
        f"/{paths.LOG_FILE}": "log_bytes",
        ".csv": "table_bytes",
        ".svg": "figure_bytes",
        ".png": "picture_bytes" if path.startswith("datasets/") else "figure_bytes",
    }
    name = next((setting for suffix, setting in named.items() if path.endswith(suffix)), "record_bytes")
    return getattr(limits, name), f"limits.{name}"


def _finding(one: AddedFile, message: str, hint: str) -> Finding:
    return Finding(rule="size", path=one.path, commit=one.commit, message=message, hint=hint)
