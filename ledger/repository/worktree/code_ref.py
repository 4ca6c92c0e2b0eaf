"""One ref that keeps code commits alive that no remote branch contains.

`refs/ledger/kept` is a chain of commits without files, whose other parents are the code that runs were made with.
Two such chains are joined by one more commit, so that clones never stand in each other's way.
"""

from collections.abc import Sequence

from ledger.repository.history.walk import contains
from ledger.repository.process import DURABLE
from ledger.repository.repository import Repository

KEPT = "refs/ledger/kept"
CODE = "refs/ledger/code/"
"""A ref for one chain or commit: where the other is taken by somebody else, and what older versions made of each."""
_FOLDED = 200
"""Most refs of older versions that one commit includes."""


def keeping_stream(repository: Repository, commits: Sequence[str], stamp: str) -> bytes:
    """Return the input of `git fast-import` that keeps commits; empty where they are kept already.

    Args:
        repository: which holds them.
        commits: their ids.
        stamp: who keeps them, and when: `NAME <EMAIL> SECONDS +0000`.
    """
    tip = repository.resolve(KEPT)
    old = _own_refs(repository)[:_FOLDED]
    wanted = [one for one in dict.fromkeys([*commits, *old]) if tip is None or not contains(repository, tip, one)]
    parts = []
    if wanted:
        first, *rest = [*([tip] if tip else []), *wanted]
        said = b"Keep the code of runs\n"
        parts.append(f"commit {KEPT}\nauthor {stamp}\ncommitter {stamp}\ndata {len(said)}\n".encode() + said)
        parts += [f"from {first}\n".encode(), *(f"merge {one}\n".encode() for one in rest), b"deleteall\n"]
    parts += [f"reset {CODE}{one}\nfrom {'0' * len(one)}\n\n".encode() for one in old]
    return b"".join(parts)


def join_kept(repository: Repository, theirs: str, ours: str) -> str:
    """Return the commit that keeps the content of two chains; no ref moves.

    Raises:
        LedgerError: git cannot write.
    """
    git = repository.git
    nothing = git.output(*DURABLE, "mktree").decode().strip()
    out = git.output(*DURABLE, "commit-tree", nothing, "-p", theirs, "-p", ours, "-m", "Keep the code of runs")
    return out.decode().strip()


def _own_refs(repository: Repository) -> list[str]:
    """Return the commits that older versions kept with one ref each."""
    out = repository.git.output("for-each-ref", "--format=%(objectname) %(refname)", CODE)
    lines = (line.partition(" ") for line in out.decode("utf-8", "surrogateescape").splitlines())
    return [commit for commit, _, name in lines if name == f"{CODE}{commit}"]
