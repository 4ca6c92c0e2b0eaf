"""The page of an experiment inside of a notebook: its sliders dim and light runs in charts and tables together."""

from html import escape
from pathlib import Path

from ledger.errors import UsageError
from ledger.model.values import Document, counted, plain
from ledger.store.branch.branch import Branch

_HEIGHT = 760
"""Pixels of the frame in a notebook; the page scrolls inside of it."""


class Exploration(Document, frozen=True, kw_only=True):
    """The page of an experiment; a notebook shows it in a frame of its own."""

    name: str
    """Name of the experiment."""
    runs: int
    """Number of its runs."""
    html: str
    """The whole page: one file that loads nothing, as `ledger site export --single` writes it."""

    def __repr__(self) -> str:
        return f"<experiment {plain(self.name)}: {counted(self.runs, 'run')}; a notebook shows its page>"

    def _repr_html_(self) -> str:
        """Return a frame with the page: its styles reach nothing of the notebook, its scripts none of its data."""
        name = escape(plain(self.name))
        return (
            f'<iframe title="Experiment {name}" sandbox="allow-scripts allow-popups" width="100%" height="{_HEIGHT}"'
            f' style="border: 0" srcdoc="{escape(self.html)}"></iframe>'
        )


def explore(experiment: str, folder: Path | str = ".", *, branch: str | None = None) -> Exploration:
    """Return the page of an experiment for a notebook: sliders over params and results light the runs inside of them.

    Charts of params, parallel coordinates, learning curves and tables are dimmed together. It shows the runs that are
    on the ledger now; call it again for later ones.

    Example:
        >>> ledger.explore("width")

    Args:
        experiment: its name.
        folder: any folder of the repository.
        branch: name of the branch of the ledger; by default as `Ledger.open` finds it.

    Raises:
        NotFound: no experiment has this name, or there is no repository.
        UsageError: a package of the extra `site` is not installed.
        LedgerError: git cannot read the branch.
    """
    try:
        from ledger.publish.site.single_page import render_single_experiment
        from ledger.publish.site.site_data import survey
    except ModuleNotFoundError as error:
        raise UsageError(f"a page needs a package: `{error.name}`", hint="pip install 'git-ledger[site]'") from error
    from ledger.repository.blobs import blob_reader

    opened = Branch.open(folder, branch)
    contents = opened.contents()
    atlas = survey(contents, [], None, opened.policy.splits)
    title = (opened.repository.worktree or opened.repository.git_dir).name
    with blob_reader(opened.repository) as read_blob:
        data = render_single_experiment(experiment, atlas, read_blob, title=title, tip=contents.tip)
    return Exploration(name=experiment, runs=len(atlas.experiments[experiment]), html=data.decode())
