"""Several ledgers on one site: each is a site of its own in a folder, and one page shows them side by side.

Each build reads only the ledgers that moved: a site writes a summary of itself, and the page is made of summaries.
"""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from ledger.engine import Engine
from ledger.errors import LedgerError, UsageError
from ledger.publish.data.summary import read_summary
from ledger.publish.pages import addresses
from ledger.publish.pages.project_page import Project
from ledger.publish.site.ledger_site import build_ledger_site
from ledger.publish.site.output import MEMORY, Progress, SiteReport, claim
from ledger.repository.hosts.remote import fetch
from ledger.repository.making import create_server
from ledger.store.branch.branch import Branch

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")
_MIRRORS = "projects"
"""Folder of the state folder that holds the ledgers which were fetched by their address."""
_FETCH_SECONDS = 120.0


def build_team_site(
    ledger: Branch,
    output: Path,
    others: Mapping[str, Branch],
    *,
    title: str,
    repository_url: str | None = None,
    progress: Progress | None = None,
    proposals: tuple[str, ...] = (),
    engine: Engine | None = None,
) -> SiteReport:
    """Build the site of a ledger with those of other ledgers beside it; projects that are not named any more go.

    Args:
        ledger: the ledger at the top of the site.
        output: folder of the site; new, empty, or made by an earlier build.
        others: ledgers by their names.
        title: name of the site.
        repository_url: where commits of the ledger are shown on the web (http or https), for links.
        progress: called with what is done, how many are done, and of how many.
        proposals: names of proposed runs that wait for a review.
        engine: where pages of runs are rendered; none is here.

    Raises:
        Conflict: `output` holds something that no build made.
        LedgerError: a ledger cannot be read, or the site cannot be built.
    """
    try:
        claim(output)
        _drop(output, set(others))
    except OSError as error:
        raise LedgerError(f"the site cannot be written: {error.strerror}: `{error.filename}`") from error
    reports, projects = [], []
    for name, branch in others.items():
        folder = output / addresses.project_folder(name)
        beside = addresses.link(addresses.PROJECTS, 2)
        reports.append(
            build_ledger_site(
                branch, folder, title=f"{name} · {title}", beside=beside, progress=progress, engine=engine
            )
        )
        projects.append(Project(name=name, summary=read_summary(folder)))
    own = build_ledger_site(
        ledger,
        output,
        title=title,
        repository_url=repository_url,
        proposals=proposals,
        projects=projects,
        beside=addresses.PROJECTS if projects else "",
        progress=progress,
        engine=engine,
    )
    return _joined(own, dict(zip(others, reports, strict=True)))


def _joined(own: SiteReport, others: Mapping[str, SiteReport]) -> SiteReport:
    """Return the report of a whole build from those of its parts."""
    every = (own, *others.values())
    inner = [f"{addresses.project_folder(name)}/{path}" for name, one in others.items() for path in one.changed]
    problems = [f"{name}: {problem}" for name, one in others.items() for problem in one.problems]
    return SiteReport(
        written=sum(one.written for one in every),
        kept=sum(one.kept for one in every),
        deleted=sum(one.deleted for one in every),
        changed=(*own.changed, *inner),
        seconds=sum(one.seconds for one in every),
        output=own.output,
        problems=(*own.problems, *problems),
    )


def _drop(output: Path, names: set[str]) -> None:
    """Delete the sites of projects that are not named any more: only folders that a build made."""
    folder = (output / addresses.PROJECTS).parent
    for one in sorted(folder.iterdir()) if folder.is_dir() else ():
        if one.name not in names and not one.is_symlink() and (one / MEMORY).is_file():
            shutil.rmtree(one)


def open_projects(said: tuple[str, ...], state_dir: Path) -> dict[str, Branch]:
    """Return the ledgers that `NAME=PATH` or `NAME=URL` name; those with an address are fetched into the state folder.

    Raises:
        UsageError: a name or an address cannot be one.
        NotFound: there is no repository at a path.
        LedgerError: a ledger cannot be fetched, or has no entry.
    """
    found: dict[str, Branch] = {}
    for one in said:
        name, equals, where = one.partition("=")
        if not equals or not where:
            raise UsageError(f"a project is `NAME=PATH` or `NAME=URL`: `{one}`", hint="--with vision=../vision")
        if not _NAME.fullmatch(name) or name in found:
            why = "it is there twice" if name in found else "small letters, digits and dashes"
            raise UsageError(f"no name of a project ({why}): `{name}`", hint="--with vision=../vision")
        folder = Path(where).expanduser()
        branch = Branch.open(folder) if folder.is_dir() else _fetched(name, where, state_dir)
        if branch.tip() is None:
            raise LedgerError(f"no ledger is there: `{where}`", hint=f"git -C {where} branch --list ledger")
        found[name] = branch
    return found


def open_folders(said: tuple[str, ...]) -> list[Branch]:
    """Return those ledgers of `NAME=PATH` and `NAME=URL` that lie in folders here, where a change costs nothing to see.

    Raises:
        NotFound: there is no repository at a path.
    """
    folders = [Path(one.partition("=")[2]).expanduser() for one in said if one.partition("=")[2]]
    return [Branch.open(folder) for folder in folders if folder.is_dir()]


def _fetched(name: str, where: str, state_dir: Path) -> Branch:
    """Return the mirror of a ledger that lies elsewhere, brought up to date: its branch alone, no code."""
    if where.startswith("-") or "::" in where or (":" not in where and "/" not in where):
        raise UsageError(f"neither a folder nor an address: `{where}`", hint=f"--with {name}=https://HOST/REPOSITORY")
    folder = state_dir / _MIRRORS / f"{name}.git"
    branch = Branch(create_server(folder, "sha1"))
    fetch(branch.repository, where, [f"+{branch.ref}:{branch.ref}"], timeout_seconds=_FETCH_SECONDS)
    return Branch(branch.repository)
