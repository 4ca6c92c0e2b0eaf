"""Box 1, training code: commit, remote, and every uncommitted change as one patch."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.capture.code.code_rules import CodeRules
from ledger.capture.code.omissions import name_files
from ledger.capture.code.script import Script, look_at_script
from ledger.capture.secrets.paths import without_secret_names
from ledger.capture.secrets.redactor import Redactor
from ledger.data.version.stat_cache import StatCache
from ledger.errors import LedgerError
from ledger.hashing import hash_bytes
from ledger.model.boxes.code import Code, InnerRepository, Patch
from ledger.repository.repository import Repository, remotes
from ledger.repository.worktree.omissions import FileOmission, PatchLimits
from ledger.repository.worktree.snapshot import Inside, Snapshot, read_snapshot

_NAMED = 10
"""Most paths that a reason names; of the rest it gives the number."""
_LISTED = 200
"""Most non-code files, and most repositories, that a record lists."""


def capture_code(
    repository: Repository | None,
    redactor: Redactor,
    *,
    rules: CodeRules | None = None,
    limits: PatchLimits,
    script: Path | None = None,
    cache: StatCache | None = None,
) -> tuple[Code, bytes]:
    """Return the code box and its patch (empty when nothing is uncommitted).

    Args:
        repository: repository of the training code; none outside of a repository.
        redactor: replaces secrets in the remote's URL and the patch.
        rules: which files count as code, and which are recorded.
        limits: maximum sizes in the patch.
        script: file of the program, where it is known.
        cache: hashes of unchanged files that are left out.
    """
    if repository is None:
        return Code(unknown={"all": "the run was not in a git repository"}), b""
    try:
        return _capture(repository, redactor, rules or default_rules(repository), limits, script, cache)
    except (LedgerError, OSError) as error:
        return Code(unknown={"all": str(error)}), b""


def default_rules(repository: Repository) -> CodeRules:
    """Return the rules for a repository without a policy."""
    return CodeRules(top=(repository.worktree or repository.git_dir).resolve())


def _capture(
    repository: Repository,
    redactor: Redactor,
    rules: CodeRules,
    limits: PatchLimits,
    path: Path | None,
    cache: StatCache | None,
) -> tuple[Code, bytes]:
    snapshot = read_snapshot(repository, rules=rules, limits=limits)
    script = look_at_script(path, repository, snapshot)
    openly, secret_names = without_secret_names(snapshot.patch, redactor)
    patch = redactor.patch(openly)
    urls = remotes(repository.config(r"^remote\..*\.url$"))
    url = urls.get("origin") or next(iter(urls.values()), None)
    parts = list(_parts(snapshot))
    unknown = _unknown(snapshot, parts, script, secret_names)
    if url is None:
        unknown["remote"] = "the repository has no remote"
    left_out = [one for part in parts for one in part.left_out()] + ([script.left_out] if script.left_out else [])
    exact, identity = "tree" not in unknown, _identity(snapshot.identity, script)
    if identity is None:
        unknown["identity"] = "not all of the code that ran could be read"
    pushed = bool(urls) and repository.is_pushed(snapshot.commit) if snapshot.commit else None
    if snapshot.lfs and pushed is False:
        unknown["lfs"] = "no remote has this commit, so what git-lfs keeps for it may exist only here"
    code = Code(
        commit=f"git:{snapshot.commit}" if snapshot.commit else None,
        branch=snapshot.branch,
        remote=redactor.url(url) if url else None,
        pushed=pushed,
        dirty=bool(snapshot.changed),
        patch=_describe(patch, exact=patch == snapshot.patch) if patch else None,
        tree=f"git:{snapshot.tree}" if snapshot.tree and exact else None,
        identity=identity,
        beside_notebooks=_identity(snapshot.beside_notebooks, script),
        omitted=name_files(rules.top, left_out, cache),
        not_code=[name for part in parts for name in part.not_code()][:_LISTED],
        repositories=[_described(part, redactor) for part in parts if part.inside][:_LISTED] + script.repositories,
        unknown=unknown,
    )
    return code, patch


class _Part(NamedTuple):
    """A snapshot of the whole repository, or of one inside it, with its folder."""

    prefix: str
    snapshot: Snapshot
    inside: Inside | None = None

    def left_out(self) -> list[FileOmission]:
        return [
            FileOmission(path=self.prefix + one.path, why=one.why, code=one.code, exact=one.exact)
            for one in self.snapshot.left_out
        ]

    def not_code(self) -> list[str]:
        return [self.prefix + path for path in self.snapshot.not_code]


def _parts(snapshot: Snapshot, prefix: str = "", inside: Inside | None = None) -> Iterator[_Part]:
    yield _Part(prefix, snapshot, inside)
    for one in snapshot.inside:
        yield from _parts(one.snapshot, f"{prefix}{one.path}/", one)


def _unknown(snapshot: Snapshot, parts: Sequence[_Part], script: Script, secret_names: Sequence[str]) -> dict[str, str]:
    """Return what commit and patch do not restore, and why."""
    unknown = {}
    if snapshot.commit is None:
        unknown["commit"] = "the repository has no commit yet"
    inexact = [f"{one.path} ({one.why})" for part in parts for one in part.left_out() if not one.exact]
    inexact += [f"{part.prefix} ({part.snapshot.problem})" for part in parts[1:] if part.snapshot.problem]
    inexact += [f"{name} (its name holds a secret)" for name in secret_names]
    inner = [part for part in parts if part.inside and not part.snapshot.problem]
    inexact += [
        f"{part.prefix} (a repository inside the repository)"
        for part in inner
        if part.inside and not part.inside.submodule
    ]
    changed = [part.prefix for part in inner if part.inside and part.inside.submodule and part.snapshot.changed]
    reasons = [f"not kept exactly: {_listed(inexact)}"] if inexact else []
    if inexact:
        unknown["patch"] = reasons[0]
    if changed:
        reasons.append(f"no tree of this repository holds what was changed inside submodules: {_listed(changed)}")
    if reasons:
        unknown["tree"] = "; ".join(reasons)
    if snapshot.problem:
        unknown |= {"patch": snapshot.problem, "tree": snapshot.problem}
    unreached = [part.prefix for part in parts if part.inside and part.snapshot.commit and not part.inside.reachable]
    if unreached:
        unknown["repositories"] = f"no remote branch of their own reaches the commits of: {_listed(unreached)}"
    if script.problem:
        unknown["script"] = script.problem
        unknown.setdefault("tree", script.problem)
    return unknown


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _identity(files: str | None, script: Script) -> str | None:
    """Return the hash of all code, given that of the files in the repository."""
    if files is None or not script.certain:
        return None
    return files if script.identity is None else hash_bytes(f"{files}\n{script.identity}".encode())


def _described(part: _Part, redactor: Redactor) -> InnerRepository:
    inside, seen = part.inside, part.snapshot
    remote = inside.remote if inside else None
    return InnerRepository(
        path=part.prefix.rstrip("/"),
        kind="submodule" if inside and inside.submodule else "nested",
        commit=f"git:{seen.commit}" if seen.commit else None,
        remote=redactor.url(remote) if remote else None,
        pushed=inside.reachable if inside and seen.commit else None,
        dirty=bool(seen.changed) if not seen.problem else None,
        tree=f"git:{seen.tree}" if seen.tree else None,
    )


def _describe(patch: bytes, *, exact: bool) -> Patch:
    """Return the counts of a patch; changed lines start with `+` or `-`, headers come before the first `@@`."""
    files = added = removed = 0
    in_hunk = False
    for line in patch.split(b"\n"):
        if line.startswith(b"diff --git "):
            files += 1
            in_hunk = False
        elif line.startswith((b"@@ ", b"GIT binary patch")):
            in_hunk = line.startswith(b"@@ ")
        elif in_hunk:
            added += line.startswith(b"+")
            removed += line.startswith(b"-")
    return Patch(hash=hash_bytes(patch), bytes=len(patch), files=files, added=added, removed=removed, exact=exact)
