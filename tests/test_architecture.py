"""The floors of the house are kept: imports go down only, and each library stays in its room."""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ledger"

FLOORS = (
    {"errors", "formatting"},
    {"resources", "settings", "wire"},
    {"model", "hashing", "engine"},
    {"formats"},
    {"repository", "data", "analysis"},
    {"capture"},
    {"store", "exporters"},
    {"recorder"},
    {"session", "publish"},
    {"api"},
    {"serve", "hosts", "integrations", "mcp"},
    {"compat"},
    {"commands", "demo"},
    {"cli"},
    {"__main__", "magics"},
)
"""From the ground up; `.github/ARCHITECTURE.md` draws the same picture. Rooms of one floor do not meet."""

BESIDE = {"commands": {"demo"}}
"""Rooms that may import a room of their own floor."""

ROOMS = {
    "PIL": {"data"},
    "accelerate": {"integrations"},
    "blake3": {"hashing"},
    "click": {"commands", "cli", "magics"},
    "distributed": {"engine"},
    "fastai": {"integrations"},
    "fsspec": {"data"},
    "git": {"repository"},
    "hydra": {"integrations"},
    "jinja2": {"publish"},
    "keras": {"integrations"},
    "lark": {"analysis"},
    "lightgbm": {"integrations"},
    "lightning": {"integrations"},
    "markupsafe": {"publish"},
    "markdown_it": {"publish"},
    "matplotlib": {"publish"},
    "mcp": {"mcp"},
    "mkdocs": {"publish"},
    "msgspec": None,
    "numpy": {"data", "analysis", "serve", "compat"},
    "omegaconf": {"integrations"},
    "optuna": {"integrations"},
    "pandas": {"store", "api"},
    "psutil": {"capture", "session"},
    "pyarrow": {"formats", "store", "data"},
    "pygments": {"publish"},
    "pynvml": {"capture"},
    "pytorch_lightning": {"integrations"},
    "ray": {"engine", "integrations"},
    "rich": {"commands", "cli"},
    "scipy": {"data", "analysis"},
    "sklearn": {"data"},
    "torch": {"capture", "data", "serve", "integrations"},
    "transformers": {"integrations"},
    "watchfiles": {"publish"},
    "xgboost": {"integrations"},
    "yaml": {"formats", "data", "store", "publish"},
    "zmq": {"wire"},
}
"""Outside library to the rooms that may use it; none means every room."""

MOST_FILES = 17
"""Files of a folder at most: as many as the largest of the code bases that this one is measured by have on average."""

LIGHT = (
    *("torch", "matplotlib", "mkdocs", "zmq", "git", "click", "msgspec", "yaml", "rich", "subprocess"),
    *("ledger.integrations", "ledger.compat"),
)
RECORD_PATH_FREE_OF = (
    *("lark", "sqlite3", "pandas", "pyarrow"),
    *("git", "jinja2", "matplotlib", "mkdocs", "rich", "torch", "numpy", "pynvml", "yaml", "importlib.metadata"),
    *(
        "argparse",
        "concurrent.futures",
        "hmac",
        "zmq",
        "logging",
        "ledger.session",
        "ledger.capture.outputs.logs",
        "ledger.capture.outputs.model",
    ),
)
"""What recording needs only where it was asked for; `tests/benchmarks/record.py` prints what each would cost."""


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def floor_of(room: str) -> int:
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


def modules() -> list[Path]:
    return sorted(
        path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py" and "_share" not in path.parts
    )


def imports_of(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, deferred and type-only ones included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            # `from ledger.publish.pages import addresses` imports a module of that package.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "id", getattr(node.func, "attr", "")) == "import_module"
            and node.args
        ):
            argument = node.args[0]
            text = argument.values[0] if isinstance(argument, ast.JoinedStr) else argument
            if isinstance(text, ast.Constant):
                yield str(text.value)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    ours = room_of(path)
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "ledger" or len(parts) == 1 or parts[1] in {ours, "__version__", "__path__"}:
            continue
        theirs = parts[1]
        allowed = floor_of(theirs) < floor_of(ours) or theirs in BESIDE.get(ours, set())
        assert allowed, f"{path.relative_to(PACKAGE)} imports {name}: an arrow upward or sideways"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_each_library_stays_in_its_room(path: Path) -> None:
    ours = room_of(path)
    for name in imports_of(path):
        library = name.split(".")[0]
        if library in {"ledger", "__future__"} or library in sys.stdlib_module_names:
            continue
        assert library in ROOMS, f"{path.relative_to(PACKAGE)} imports {library}, which has no room yet"
        rooms = ROOMS[library]
        assert rooms is None or ours in rooms, f"{path.relative_to(PACKAGE)} imports {library} outside of {rooms}"


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


def graph_of(paths: list[Path]) -> dict[str, set[str]]:
    """Return module to the modules that it imports, the root package left out: it only lends its version."""
    known = {name_of(path) for path in paths}
    return {
        name_of(path): {name if name in known else name.rpartition(".")[0] for name in imports_of(path)}
        & known - {name_of(path)}
        for path in paths
    }


def test_no_module_imports_itself_by_way_of_others() -> None:
    circle: list[str] = []
    try:
        TopologicalSorter(graph_of(modules())).prepare()
    except CycleError as error:
        circle = error.args[1]
    assert circle == []


def test_a_circle_of_modules_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_architecture.PACKAGE", tmp_path / "ledger")
    (tmp_path / "ledger").mkdir()
    one, two = tmp_path / "ledger" / "one.py", tmp_path / "ledger" / "two.py"
    one.write_text("from ledger.two import x\n")
    two.write_text("def f():\n    from ledger import one\n")
    with pytest.raises(CycleError):
        TopologicalSorter(graph_of([one, two])).prepare()


def test_every_public_class_has_a_name_of_its_own() -> None:
    named: dict[str, list[str]] = {}
    for path in modules():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                named.setdefault(node.name, []).append(name_of(path))
    assert {name: places for name, places in named.items() if len(places) > 1} == {}


def test_a_folder_is_seen_at_a_glance() -> None:
    counts = Counter(path.parent for path in modules() if path.name != "__init__.py")
    assert {str(folder.relative_to(PACKAGE)): count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_every_room_stands_on_a_floor() -> None:
    rooms = {room_of(path) for path in modules()}
    assert rooms == set().union(*FLOORS)


def test_the_reader_of_imports_sees_deferred_ones(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("def f():\n    import git\n    from ledger.cli import run\n")
    assert list(imports_of(file)) == ["git", "ledger.cli.run"]


def loaded_by(statement: str) -> set[str]:
    import subprocess

    script = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    return set(out.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import ledger")
    assert not [name for name in LIGHT if name in loaded]


def test_a_run_in_a_script_loads_only_what_every_run_needs() -> None:
    loaded = loaded_by("import ledger; ledger.run")
    assert "ledger.session.run.run" in loaded
    unused = (
        "lark",
        "sqlite3",
        "zmq",
        "numpy",
        "yaml",
        "click",
        "ledger.integrations",
        "ledger.compat",
        "ledger.session.live",
        "ledger.session.notebook.watch",
    )
    assert not [name for name in unused if name in loaded]


def test_the_record_path_loads_only_what_it_needs() -> None:
    loaded = loaded_by("import ledger.commands.recording.record")
    assert "ledger.recorder.record.recorder" in loaded
    assert not [name for name in RECORD_PATH_FREE_OF if name in loaded]
