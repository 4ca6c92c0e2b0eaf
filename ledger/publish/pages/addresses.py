"""The path of each page. It never depends on other content of the ledger, and holds only safe characters."""

from functools import lru_cache
from urllib.parse import quote

from ledger.hashing import hash_bytes
from ledger.model.values import slug

HOME = "index.html"
RUNS = "runs/index.html"
EXPERIMENTS = "experiments/index.html"
DATASETS = "datasets/index.html"
BOARDS = "leaderboards/index.html"
OTHER_BOARDS = "leaderboards/others.html"
MILESTONES = "milestones/index.html"
COSTS = "costs/index.html"
MACHINES = "machines/index.html"
COMPARE = "compare.html"
OLDER = "runs/older.html"
OLDER_DATA = "data/older.js"
LISTS = "lists/index.html"
PROJECTS = "projects/index.html"
GLOSSARY = "handbook/glossary.html"
NOT_FOUND = "404.html"

_TAKEN = {"index"}
"""Names that the site uses itself."""


def run_page(run_id: str) -> str:
    """Return the page of a run; `run_id` is well-formed."""
    return f"runs/{run_id}.html"


def older_run(run_id: str) -> str:
    """Return where a run is shown whose page stands together with others."""
    return f"{OLDER}?run={run_id}"


def older_data(number: int) -> str:
    """Return the file of the pages of older runs with this number."""
    return f"data/older/{number}.js"


def experiment_page(name: str) -> str:
    """Return the page of an experiment, whatever its name."""
    return f"experiments/{_file_name(name)}.html"


def dataset_page(name: str) -> str:
    """Return the page of a dataset, whatever its name."""
    return f"datasets/{_file_name(name)}.html"


def project_folder(name: str) -> str:
    """Return the folder of the site of another ledger; `name` is made of small letters, digits and dashes."""
    return f"projects/{name}"


def list_page(name: str) -> str:
    """Return the page of a list; `name` is one of ours."""
    return f"lists/{name}.html"


@lru_cache(maxsize=4096)  # ten thousand runs use the same few names
def board_page(key: str, identity: str) -> str:
    """Return the page of a leaderboard; `identity` distinguishes comparable groups of one metric."""
    digits = hash_bytes(identity.encode("utf-8", "surrogatepass"))[7:15]
    return f"leaderboards/{slug(key)[:60].strip('-._')}-{digits}.html"


def curve_data(run_id: str) -> str:
    """Return the file of a run's curves for scripts."""
    return f"data/curves/{run_id}.js"


def run_document(run_id: str, kind: str) -> str:
    """Return the file of a run in a format for machines: `ro-crate`, `cdx` or `prov`."""
    return f"data/runs/{run_id}.{kind}.json"


def figure_file(run_id: str, number: int) -> str:
    """Return the file of a run's picture."""
    return f"data/figures/{run_id}/{number}.png"


def sample_picture(dataset: str, content: str) -> str:
    """Return the file of a sample's picture, named by content hash, so that versions share it."""
    return f"data/samples/{_file_name(dataset)}/{slug(content.removeprefix('blake3:'))[:32]}.png"


def link(path: str, depth: int) -> str:
    """Return `path` as a relative URL from a page `depth` folders down."""
    return "../" * depth + quote(path, safe="/#=,")


def _file_name(name: str) -> str:
    plain = slug(name)
    if plain == name and plain not in _TAKEN:
        return plain
    return f"{plain[:60].rstrip('-._')}-{hash_bytes(name.encode('utf-8', 'surrogatepass'))[7:15]}"
