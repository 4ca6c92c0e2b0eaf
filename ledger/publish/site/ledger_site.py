"""The site of a branch: all that it is built from has a key, so that a build with nothing new reads no record.

What renders pages is loaded when there is something to render.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.engine import Engine
from ledger.hashing import hash_bytes
from ledger.model.document import uncollected
from ledger.publish.site.output import Progress, SiteReport, read_last_build, sizes, standing_key
from ledger.publish.site.renderer import key_of, sources_key
from ledger.repository.blobs import blob_reader
from ledger.repository.repository import Repository
from ledger.store.branch.branch import Branch
from ledger.store.branch.reader import MISSING
from ledger.store.index.idle import read_host_use

if TYPE_CHECKING:
    from ledger.publish.pages.project_page import Project


def build_ledger_site(
    ledger: Branch,
    output: Path,
    *,
    title: str,
    repository_url: str | None = None,
    proposals: Sequence[str] = (),
    projects: Sequence["Project"] = (),
    beside: str = "",
    progress: Progress | None = None,
    engine: Engine | None = None,
) -> SiteReport:
    """Build the site of a branch in `output`; nothing is read where the last build there read the same.

    Args:
        ledger: the branch; its policy is read again.
        output: folder of the site; new, empty, or made by an earlier build.
        title: name of the site.
        repository_url: where commits are shown on the web (http or https), for links.
        proposals: names of proposed runs that wait for a review.
        projects: other ledgers, which a page shows beside this one.
        beside: address of that page from the home page; empty where there is none.
        progress: called with what is done, how many are done, and of how many.
        engine: where pages of runs are rendered; its workers have the repository at the same path. None is here.

    Raises:
        Conflict: `output` holds something that no build made.
        LedgerError: git cannot read the branch, or the site cannot be built.
    """
    inputs = inputs_key(ledger, title, repository_url, proposals, projects, beside)
    if (report := unchanged(output, inputs)) is not None:
        return report
    from ledger.publish.site.build import build_site
    from ledger.publish.site.elsewhere import PagesOf, render_elsewhere

    fresh = Branch(ledger.repository, ledger.branch)
    tip = fresh.tip()
    with blob_reader(fresh.repository) as read_blob, uncollected():
        policy, contents, log, hosts = fresh.policy, fresh.contents(), list(fresh.log()), read_host_use(fresh)
        # What another look at the same commit may find otherwise is read again each time.
        passing = fresh.unreadable is not None or any(one.message == MISSING for one in contents.problems)
        same = not passing and tip == contents.tip == fresh.tip()
        same = same and inputs == inputs_key(fresh, title, repository_url, proposals, projects, beside)
        source = PagesOf(
            repository=str(fresh.repository.common_dir.resolve()),
            branch=fresh.branch,
            tip=contents.tip or "",
            repository_url=repository_url,
        )
        return build_site(
            contents,
            read_blob,
            log,
            output,
            title=title,
            repository_url=repository_url,
            budget=policy.budget,
            splits=policy.splits,
            run_pages=policy.site.run_pages,
            notice=policy.site.notice,
            hosts=hosts,
            proposals=proposals,
            projects=projects,
            beside=beside,
            inputs=inputs if same else "",
            progress=progress,
            elsewhere=(lambda shell: render_elsewhere(engine, source, shell)) if engine else None,
        )


def inputs_key(
    ledger: Branch,
    title: str,
    repository_url: str | None,
    proposals: Sequence[str],
    projects: Sequence["Project"] = (),
    beside: str = "",
) -> str:
    """Return the hash of all that a build reads: the branch, what else is given, and the sources of this package.

    The policy, the log and the days of hosts follow from the tip of the branch; of a shallow clone, the log also from
    where its history begins.

    Raises:
        LedgerError: git cannot read the branch.
    """
    given = (title, repository_url, list(proposals), list(projects), beside)
    return key_of(ledger.tip(), _shallow(ledger.repository), given, sources_key())


def unchanged(output: Path, inputs: str) -> SiteReport | None:
    """Return the report of a build with nothing new; none where the last build in `output` read something else.

    Nor is there one where a file of the site is missing, or has another size than the last build left it with.
    """
    started = time.monotonic()
    last = read_last_build(output)
    try:
        if last is None or last.inputs != inputs or last.standing != standing_key(sizes(output)):
            return None
    except OSError:  # the build says what cannot be read
        return None
    return SiteReport(
        written=0,
        kept=last.pages,
        deleted=0,
        changed=(),
        seconds=time.monotonic() - started,
        output=str(output),
        problems=last.problems,
    )


def _shallow(repository: Repository) -> str:
    """Return the hash of where the history of a shallow clone begins; empty for a whole one."""
    with suppress(OSError):
        return hash_bytes((repository.common_dir / "shallow").read_bytes())
    return ""
