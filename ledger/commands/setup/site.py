"""`ledger site`: build, serve, publish or export the static site of the ledger."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from ledger.commands.output import say, write_json
from ledger.commands.progress import Bar
from ledger.commands.workplace import open_ledger
from ledger.engine import Engine, open_engine
from ledger.errors import LedgerError, NotFound, UsageError
from ledger.formatting import byte_size, duration
from ledger.model.values import plain
from ledger.publish.pages import addresses
from ledger.publish.site.ledger_site import build_ledger_site
from ledger.publish.site.output import SiteReport
from ledger.recorder.statements.proposal import read_proposals
from ledger.repository.hooks import MOVED
from ledger.repository.repository import remotes
from ledger.store.branch.branch import Branch
from ledger.store.index.selection import find_runs

if TYPE_CHECKING:
    from ledger.model.entries import StoredRun
    from ledger.publish.site.site_data import Atlas

_OUTPUT = "build/site"


@click.group("site")
def site_command() -> None:
    """Build, serve, publish or export the static site of the ledger."""


@site_command.command("build")
@click.option("-o", "--output", type=click.Path(file_okay=False), default=_OUTPUT, show_default=True, help="Folder.")
@click.option("--title", default="Experiment ledger", show_default=True, help="Name of the site.")
@click.option("--repository-url", metavar="URL", help="Web address of commits. Default: the remote's.")
@click.option("--with", "others", multiple=True, metavar="NAME=WHERE", help="Another ledger beside: a folder or a URL.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that render runs.")
@click.option("--engine", metavar="ADDRESS", help="Render runs on a cluster: dask://host:port, ray://host:port.")
@click.option("--json", "as_json", is_flag=True, help="Print what was built as JSON.")
def build_command(
    output: str,
    title: str,
    repository_url: str | None,
    others: tuple[str, ...],
    jobs: int,
    engine: str | None,
    as_json: bool,
) -> None:
    """Build the site into OUTPUT; only pages whose content changed are written.

    Each process of --jobs, and each worker of --engine, reads the ledger itself: one of a cluster needs the repository
    at the same path. That is worth it for the first site of thousands of runs.

    With --with, the sites of other ledgers stand beside it, and one page shows all projects.

    Example: ledger site build --output public --with vision=../vision --with speech=https://example.org/speech.git
    """
    with ExitStack() as stack:
        workers = stack.enter_context(open_engine(engine, jobs=jobs, processes=True)) if engine or jobs > 1 else None
        report = build_now(
            open_ledger(), Path(output), title=title, repository_url=repository_url, others=others, engine=workers
        )
    if as_json:
        write_json(report)
        return
    for problem in report.problems:
        say(f"warning: {problem}")
    say(
        f"built {output}: {report.written} pages written, {report.kept} unchanged, {report.deleted} deleted"
        f" in {duration(report.seconds)}; next: ledger site serve, or open {output}/index.html"
    )


@site_command.command("serve")
@click.option("-o", "--output", type=click.Path(file_okay=False), default=_OUTPUT, show_default=True, help="Folder.")
@click.option("--title", default="Experiment ledger", show_default=True, help="Name of the site.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0 for a free one.")
@click.option("--with", "others", multiple=True, metavar="NAME=WHERE", help="Another ledger beside: a folder or a URL.")
def serve_command(output: str, title: str, host: str, port: int, others: tuple[str, ...]) -> None:
    """Build the site, serve it, and build it again whenever the ledger moves; open pages reload.

    With --with, other ledgers stand beside it. Those in folders are followed as well; an address is fetched with every
    build.

    Example: ledger site serve --with vision=../vision
    """
    from ledger.publish.site.serve import serve_site
    from ledger.publish.site.team import open_folders

    ledger = open_ledger()
    followed = (ledger, *open_folders(others))

    def build() -> SiteReport:
        return build_now(ledger, Path(output), title=title, repository_url=None, others=others)

    def tips() -> str:
        return " ".join(one.tip() or "" for one in followed)

    state_dir = ledger.repository.state_dir
    serve_site(build, Path(output), host, port, tips, say, state_dir / MOVED, lambda: _living(state_dir))


def _living(state_dir: Path) -> bytes:
    """Return the living runs as the home page shows them: no params and no command lines."""
    from ledger.commands.reading.living_text import living_lines
    from ledger.session.live.living import living_runs

    return msgspec.json.encode(
        [
            {"id": run.id, "experiment": run.experiment, "done": run.progress.done, "lines": living_lines(run)}
            for run in living_runs(state_dir)
        ]
    )


@site_command.command("publish")
@click.argument("repository", required=False, type=click.Path(file_okay=False, exists=True))
@click.option("--to", "folder", type=click.Path(file_okay=False), help="Site folder; the setting ledger.site names it.")
@click.option("--title", help="Name of the site. Default: the setting ledger.siteTitle.")
@click.option("--json", "as_json", is_flag=True, help="Print what was published as JSON.")
def publish_command(repository: str | None, folder: str | None, title: str | None, as_json: bool) -> None:
    """Publish the site of REPOSITORY atomically: build beside the served site, then switch FOLDER/current to it.

    Entries in the repository's inbox are put on the branch first. A server's post-receive hook does the same
    after each push; this is for a person, or cron. A web server serves FOLDER/current.

    Example: ledger site publish /srv/ledger.git --to /srv/ledger-site
    """
    from ledger.publish.site.background import building, publish_ledger, site_of

    ledger = Branch.open(Path(repository or "."))
    site = Path(folder) if folder else site_of(ledger.repository)
    if site is None:
        raise UsageError(
            "no folder to publish to", hint="ledger site publish --to FOLDER, or: git config ledger.site FOLDER"
        )
    with building(ledger.repository.state_dir):
        published = publish_ledger(ledger, site, title=title, notify=say)
    if as_json:
        write_json(published)


@site_command.command("export")
@click.option("--single", "about", required=True, metavar="RUN|EXPERIMENT", help="The run, else the experiment.")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="File. Default: the id or the name, with .html.")
@click.option("--title", default="Experiment ledger", show_default=True, help="Name of the ledger.")
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@click.option("--json", "as_json", is_flag=True, help="Print what was written as JSON.")
def export_command(about: str, output: str | None, title: str, force: bool, as_json: bool) -> None:
    """Write the page of one run, or of one experiment with its sliders, as a single HTML file that loads nothing.

    It is made to be sent, attached or archived.

    Example: ledger site export --single x7k2qf -o width-16.html
    """
    from ledger.publish.site.output import write_file
    from ledger.publish.site.single_page import default_name, render_single, render_single_experiment
    from ledger.publish.site.site_data import survey
    from ledger.repository.blobs import blob_reader

    ledger = open_ledger()
    with blob_reader(ledger.repository) as read_blob:
        contents = ledger.contents()
        atlas = survey(contents, [], _remote_address(ledger), ledger.policy.splits)
        run = _run_to_export(ledger, about, atlas)
        page = addresses.experiment_page(about) if run is None else addresses.run_page(run.record.id)
        path = Path(output or default_name(page))
        if path.exists() and not force:
            raise UsageError(f"the file is there already: `{path}`", hint="--force replaces it, --output names another")
        if run is None:
            data = render_single_experiment(about, atlas, read_blob, title=title, tip=contents.tip)
        else:
            budget = ledger.policy.budget
            data = render_single(run, atlas, read_blob, title=title, tip=contents.tip, budget=budget)
    try:
        write_file(path.parent, path.name, data)
    except OSError as error:
        raise LedgerError(f"the file cannot be written: {error.strerror}: `{path}`") from error
    if as_json:
        subject = {"experiment": about} if run is None else {"run": run.record.id}
        write_json({**subject, "file": str(path), "bytes": len(data)})
        return
    say(f"wrote {path}, {byte_size(len(data))}: one file, nothing is loaded from elsewhere")


def _run_to_export(ledger: Branch, about: str, atlas: "Atlas") -> "StoredRun | None":
    """Return the run that an id, or a part of it, names; none where only an experiment has this name.

    Raises:
        NotFound: no run and no experiment has it.
        UsageError: several runs have it, or the run has no page.
    """
    from ledger.publish.site.single_page import near_names

    try:
        (found,) = find_runs(ledger, [about])
    except LedgerError as error:
        if about in atlas.experiments:
            return None
        if isinstance(error, NotFound):
            hint = near_names(about, atlas)
            raise NotFound(f"no run and no experiment has this name: `{plain(about)}`", hint=hint) from error
        raise
    shown = atlas.by_id.get(found.record.id)
    if shown is None:
        raise UsageError(f"the run has no page: `{found.record.id}`", hint="ledger verify")
    return shown


def build_now(
    ledger: Branch,
    output: Path,
    *,
    title: str,
    repository_url: str | None,
    others: tuple[str, ...] = (),
    engine: Engine | None = None,
) -> SiteReport:
    """Build the site of a ledger with a progress bar on stderr, and beside it those of others, `NAME=WHERE` each.

    Raises:
        UsageError: the packages of the extra `site` are not installed.
        LedgerError: the site cannot be built.
    """
    url = repository_url or _remote_address(ledger)
    if output == Path(_OUTPUT):
        _hide_from_git(output)
    proposals = tuple(read_proposals(ledger))
    with Bar("building the site") as bar:
        if others or (output / addresses.PROJECTS).exists():
            from ledger.publish.site.team import build_team_site, open_projects

            projects = open_projects(others, ledger.repository.state_dir)
            return build_team_site(
                ledger,
                output,
                projects,
                title=title,
                repository_url=url,
                proposals=proposals,
                progress=bar.show,
                engine=engine,
            )
        return build_ledger_site(
            ledger, output, title=title, repository_url=url, proposals=proposals, progress=bar.show, engine=engine
        )


def _hide_from_git(output: Path) -> None:
    """Hide the built site from `git status` and from every patch, by an ignore file beside it that hides itself too."""
    ignore = output.parent / ".gitignore"
    if not ignore.exists():
        ignore.parent.mkdir(parents=True, exist_ok=True)
        ignore.write_text(f"/{output.name}/\n/.gitignore\n", encoding="utf-8")


def _remote_address(ledger: Branch) -> str | None:
    """Return the web address of the remote, where it has one: credentials and `.git` removed."""
    from ledger.capture.secrets.redactor import Redactor

    urls = remotes(ledger.repository.config(r"^remote\..*\.url$"))
    url = urls.get("origin") or next(iter(urls.values()), "")
    if url.startswith("git@") and ":" in url:
        host, _, path = url.removeprefix("git@").partition(":")
        url = f"https://{host}/{path}"
    return Redactor().url(url).removesuffix(".git") if url.startswith(("http://", "https://")) else None
