"""The plan of a redaction: every file and message of the ledger's history that contains a secret."""

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from urllib.parse import quote

from ledger.errors import InvalidDocument, LedgerError, NotFound
from ledger.hashing import hash_bytes
from ledger.model import paths
from ledger.model.document import dump, load
from ledger.model.entries import RedactedFile
from ledger.model.record import Record
from ledger.model.values import Document
from ledger.repository.history.rewrite import write_blob
from ledger.repository.history.walk import walk
from ledger.store.branch.branch import Branch
from ledger.store.branch.reader import kind_of
from ledger.store.integrity.signatures import document_of, is_signature, signature_of

MARK = "[redacted]"
"""The text that replaces a secret."""
SHORTEST = 6
"""Fewest characters of a secret: shorter texts occur inside many innocent words."""
_EMPTY_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)
"""One transparent pixel (PNG, ISO/IEC 15948), which replaces a picture."""
_GONE = f"{MARK}\n".encode()
"""The content that replaces a whole file."""
_EMPTY_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 20"><text y="15">redacted</text></svg>\n'


class Plan(Document, frozen=True, kw_only=True):
    """The planned changes of a redaction."""

    tip: str
    """Tip of the branch that was searched."""
    files: list[RedactedFile]
    """Files whose content would be replaced, their signatures included."""
    commits: int
    """Commits whose message would be changed."""
    blobs: dict[str, str]
    """Blob that replaces each blob."""
    unsent: bool = False
    """Whether none of it was ever sent: records then state the new hashes of files, and no tombstone is needed."""

    @property
    def empty(self) -> bool:
        """Whether nothing would change."""
        return not self.files and not self.commits


class Needles:
    """The forms of a secret in files: as it is, inside JSON, inside a URL.

    Args:
        secrets: each at least six characters.

    Raises:
        LedgerError: one is too short, or has several lines.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._forms: set[bytes] = set()
        for secret in secrets:
            if len(secret) < SHORTEST or "\n" in secret:
                raise LedgerError(
                    f"a secret to redact must be one line of at least {SHORTEST} characters",
                    hint="ledger redact --file PATH takes out a whole file",
                )
            inside = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], quote(secret, safe=""))
            self._forms.update(form.encode() for form in (secret, *inside))

    def replaced(self, data: bytes) -> bytes:
        """Return `data` with the mark in place of every secret."""
        for form in sorted(self._forms, key=len, reverse=True):
            data = data.replace(form, MARK.encode())
        return data


def plan_redaction(ledger: Branch, needles: Needles, files: Collection[str] = ()) -> Plan:
    """Search every file and message of the ledger's whole history for secrets.

    Args:
        ledger: the ledger.
        needles: the secrets.
        files: paths on the branch whose whole content is to be removed.

    Raises:
        NotFound: there is no ledger, or no such file on it.
        LedgerError: a path contains a secret, or the remaining text would not be a document.
    """
    tip = ledger.tip()
    if tip is None:
        raise NotFound("there is no ledger to redact")
    held = _History(ledger, tip)
    if missing := sorted(set(files) - set(held.latest)):
        raise NotFound(
            f"no such file on the ledger: `{missing[0]}`", hint=f"git ls-tree -r --name-only {ledger.branch}"
        )
    for path in held.latest:
        if (named := needles.replaced(os.fsencode(path))) != os.fsencode(path):
            raise LedgerError(f"the secret is part of a path, which cannot be redacted: `{os.fsdecode(named)}`")
    whole = {held.latest[path] for path in files}
    replaced: dict[str, tuple[bytes, bytes]] = {}  # former and new content by blob
    for blob, data in held.contents():
        content = _replacement_of(held.first[blob]) if blob in whole else needles.replaced(data)
        if content != data:
            _check_readable(held.first[blob], content)
            replaced[blob] = data, content
    touched = {document_of(path) for path, blob in held.latest.items() if blob in replaced}
    for path, blob in held.latest.items():  # a signature of content that is gone
        if is_signature(path) and document_of(path) in touched:
            replaced[blob] = ledger.repository.read_object(blob), _GONE
    unsent = _is_unsent(ledger, tip, held, replaced, needles)
    if unsent:
        _restate_files(ledger, held, replaced)
    return Plan(
        tip=tip,
        unsent=unsent,
        files=[
            RedactedFile(path=path, before=hash_bytes(replaced[blob][0]), after=hash_bytes(replaced[blob][1]))
            for path, blob in sorted(held.latest.items())
            if blob in replaced
        ],
        commits=sum(needles.replaced(message) != message for message in held.messages()),
        blobs={blob: write_blob(ledger.repository, content) for blob, (_, content) in replaced.items()},
    )


def commits_unsent(ledger: Branch, tip: str) -> set[str]:
    """Return the commits that nobody else has, as far as this clone knows: on no remote, and under no checkpoint."""
    wanted = ("refs/ledger/seen", "refs/ledger/incoming", "refs/remotes", f"refs/tags/{ledger.branch}/")
    shared = ledger.repository.git.output("for-each-ref", "--format=%(objectname)", *wanted).decode().split()
    left_out = "".join(f"^{commit}\n" for commit in shared)
    out = ledger.repository.git.output("rev-list", "--stdin", stdin=f"{tip}\n{left_out}".encode())
    return set(out.decode().split())


def _is_unsent(ledger: Branch, tip: str, held: "_History", replaced: Mapping[str, object], needles: Needles) -> bool:
    """Return whether no commit with any of it was ever sent: to no remote, and under no checkpoint."""
    own = commits_unsent(ledger, tip)
    if len(own) == len(held.steps):
        return False  # whether somebody fetched from this clone is not known
    messages = held.messages()
    return all(
        step.commit in own
        for step, message in zip(held.steps, messages, strict=True)
        if needles.replaced(message) != message or any(change.blob in replaced for change in step.changes)
    )


def _restate_files(ledger: Branch, held: "_History", replaced: dict[str, tuple[bytes, bytes]]) -> None:
    """Put the new hash and size of files into their documents, and renew signatures."""
    now = {hash_bytes(before): after for before, after in replaced.values()}
    signed: dict[str, str] = {}
    for blob, data in held.contents():
        path = held.first[blob]
        if is_signature(path) and blob in replaced:
            signed[blob] = path
        elif kind_of(path) is not None and any(stated.encode() in data for stated in now):
            content = replaced.get(blob, (data, data))[1]
            stated = _restated(json.loads(content), now)
            replaced[blob] = data, dump(load(json.dumps(stated).encode(), kind_of(path) or Record, source=path))
    for blob, path in signed.items():
        document = document_of(path)
        files = [one for one in held.latest if document_of(one) == document and not is_signature(one)]
        contents = {one: replaced[held.latest[one]][1] if held.latest[one] in replaced else None for one in files}
        hashes = {
            one: hash_bytes(content if content is not None else ledger.repository.read_object(held.latest[one]))
            for one, content in contents.items()
        }
        replaced[blob] = replaced[blob][0], signature_of(ledger.repository, document or "", hashes)[1]


_OF_DATA = frozenset({"format", "role", "version"})
"""Fields next to the hash of a listing that state the size of data."""


def _restated(value: object, now: Mapping[str, bytes]) -> object:
    if isinstance(value, list):
        return [_restated(item, now) for item in value]
    if not isinstance(value, dict):
        return value
    stated = {name: _restated(item, now) for name, item in value.items()}
    content = now.get(str(stated.get("hash")))
    if content is not None:
        stated["hash"] = hash_bytes(content)
        if "bytes" in stated and _OF_DATA.isdisjoint(stated):
            stated["bytes"] = len(content)
    return stated


class _History:
    """Every file and message of a branch, from its first commit on."""

    def __init__(self, ledger: Branch, tip: str) -> None:
        self.repository = ledger.repository
        self.steps = list(walk(ledger.repository, tip))
        self.first: dict[str, str] = {}
        """First path of each blob."""
        self.latest: dict[str, str] = {}
        """Latest blob at each path."""
        for step in reversed(self.steps):
            for change in step.changes:
                if change.status != "D":
                    self.first.setdefault(change.blob, change.path)
                    self.latest[change.path] = change.blob

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """Yield every blob with its content."""
        for blob, data in zip(self.first, self.repository.read_objects(self.first), strict=True):
            if data is None:
                raise LedgerError(f"a file of the ledger is not in this clone: `{self.first[blob]}`", hint="git fetch")
            yield blob, data

    def messages(self) -> Iterator[bytes]:
        """Yield the message of every commit."""
        for data in self.repository.read_objects(step.commit for step in self.steps):
            yield (data or b"").partition(b"\n\n")[2]


def placeholder_of(path: str) -> bytes:
    """Return the content that replaces a whole file.

    Raises:
        LedgerError: it is a document, of which only parts can be removed.
    """
    if is_signature(path):
        return _GONE
    if path in {paths.FORMAT_FILE, paths.POLICY_FILE} or kind_of(path) is not None:
        raise LedgerError(
            f"a whole document cannot be removed, only parts of it: `{path}`",
            hint="ledger redact without --file asks for the secret itself",
        )
    return {".png": _EMPTY_PNG, ".svg": _EMPTY_SVG}.get(os.path.splitext(path)[1], _GONE)  # noqa: PTH122  # a path on the branch


def _replacement_of(path: str) -> bytes:
    if is_signature(path):
        raise LedgerError(f"a signature is removed only with what it signs: `{path}`")
    return placeholder_of(path)


def _check_readable(path: str, content: bytes) -> None:
    kind = kind_of(path)
    if kind is None:
        return
    try:
        load(content, kind, source=path)
    except InvalidDocument as error:
        raise LedgerError(
            f"without the secret the document would be invalid ({error.problems[0]}): `{path}`"
        ) from error
