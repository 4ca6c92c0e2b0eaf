"""How a run ends that no `with` holds: the exit code of its process, a cell of a notebook."""

import sys
import types
from pathlib import Path

import pytest

from ledger.session.process.endings import Ending, EndWatch, ending_of
from ledger.store.branch.branch import Branch
from tests.conftest import run_python

HEAD = "import ledger, sys\n"
MAIN = HEAD + "def main():\n    run = ledger.run('x')\n    run.log(loss=1.0)\n    return CODE\n"

ENDS = [
    (MAIN.replace("CODE", "1") + "sys.exit(main())", "failed", 1),
    (MAIN.replace("CODE", "0") + "sys.exit(main())", "finished", 0),
    (MAIN.replace("CODE", "None") + "sys.exit(main())", "finished", 0),
    (MAIN.replace("CODE", "4") + "raise SystemExit(main())", "failed", 4),
    (HEAD + "run = ledger.run('x')\nsys.exit(2)", "failed", 2),
    (HEAD + "run = ledger.run('x')\nsys.exit('no data')", "failed", 1),
    (HEAD + "run = ledger.run('x')\ntry:\n    sys.exit(2)\nexcept SystemExit:\n    pass", "finished", None),
    (HEAD + "run = ledger.run('x')\nrun = ledger.run('y'); run.finish()\nsys.exit(3)", "failed", 3),
    (HEAD + "ledger.run('x')\nprint(sum(range(1000)))", "finished", None),
    (HEAD + "run = ledger.run('x')\nsys.exit(True)", "failed", 1),
    (HEAD + "run = ledger.run('x')\nsys.exit(-1)", "failed", 255),
]


@pytest.mark.parametrize(("script", "status", "code"), ENDS)
def test_the_exit_code_of_the_process_decides(repo: Path, script: str, status: str, code: int | None) -> None:
    (repo / "main.py").write_text(script)
    process = run_python(f"import runpy\n{script}", cwd=repo)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == (code or 0), err
    record = next(run.record for run in Branch.open(repo).contents().runs if run.record.experiment == "x")
    assert (record.status, record.exit_code) == (status, code)
    assert record.reason == (f"exit code {code}" if code else None)


def test_what_is_watched_is_put_back(repo: Path) -> None:
    script = (
        "import ledger, sys\n"
        "before = sys.exit, sys.excepthook, SystemExit.__dict__['code'], sys.gettrace()\n"
        "run = ledger.run('x')\n"
        "try: sys.exit((1, 2))\n"
        "except SystemExit as error: assert error.code == (1, 2); error.code = 3; assert error.code == 3\n"
        "run.finish()\n"
        "del run\n"
        "assert before == (sys.exit, sys.excepthook, SystemExit.__dict__['code'], sys.gettrace())\n"
    )
    process = run_python(script, cwd=repo)
    assert process.communicate(timeout=60)[1].count("Error") == 0
    assert process.returncode == 0


def test_nothing_is_traced_once_a_run_is_let_go(repo: Path) -> None:
    script = "import ledger, sys\ndef train(): assert sys.gettrace() is None\nledger.run('x'); train()\n"
    process = run_python(script, cwd=repo)
    assert process.communicate(timeout=60)[1].count("AssertionError") == 0
    assert process.returncode == 0


class Events:
    """Events of an IPython shell, as `IPython.core.events.EventManager` has them."""

    def __init__(self) -> None:
        self.callbacks: list[object] = []

    def register(self, name: str, callback: object) -> None:
        assert name == "post_run_cell"
        self.callbacks.append(callback)

    def unregister(self, name: str, callback: object) -> None:
        assert name == "post_run_cell"
        self.callbacks.remove(callback)


@pytest.mark.parametrize(("said_after", "status"), [(0, "failed"), (5, "finished")])
def test_a_run_ends_with_the_cell_that_failed_unless_it_went_on(
    monkeypatch: pytest.MonkeyPatch, said_after: int, status: str
) -> None:
    events = Events()
    shell = types.ModuleType("IPython")
    shell.get_ipython = lambda: types.SimpleNamespace(events=events)  # type: ignore[attr-defined]  # a stand-in
    monkeypatch.setitem(sys.modules, "IPython", shell)
    said, ended = [7], list[Ending]()
    watch = EndWatch(ended.append, lambda: said[0])
    watch.start()
    try:
        (callback,) = events.callbacks
        assert callable(callback)
        callback(types.SimpleNamespace(error_before_exec=None, error_in_exec=ZeroDivisionError("division by zero")))
        callback(types.SimpleNamespace(error_before_exec=None, error_in_exec=None))
        said[0] += said_after
        watch._at_exit()  # what the interpreter calls
    finally:
        watch.stop()
    assert ended[0].status == status
    assert events.callbacks == []


def test_frameworks_that_stop_a_training_are_known_by_their_names() -> None:
    class TrialPruned(Exception):  # its name is what is known
        __module__ = "optuna.exceptions"

    class OwnPruned(TrialPruned):
        __module__ = "train"

    class NotOptuna(Exception):  # the same
        __module__ = "train"

    assert ending_of(OwnPruned("step 3")) == Ending("pruned", "OwnPruned: step 3")
    assert ending_of(NotOptuna()).status == "failed"


@pytest.mark.parametrize("watched", [False, True], ids=["no run lives", "a run lives"])
def test_ray_stops_a_trial_by_leaving_its_thread(*, watched: bool) -> None:
    session: dict[str, object] = {"__name__": "ray.train._internal.session", "sys": sys}
    exec("def report(code): sys.exit(code)", session)  # noqa: S102  # a module of that name
    report = session["report"]
    assert callable(report)
    seen = []
    watch = EndWatch(lambda _: None, lambda: 0)
    if watched:
        watch.start()
    try:
        for code in (0, 1):
            try:
                report(code)
            except SystemExit as error:
                seen.append(ending_of(error).status)
    finally:
        watch.stop()
    assert seen == ["pruned", "failed"]


@pytest.mark.parametrize(
    "script",
    [
        "run = ledger.run('x')\ntry:\n    raise RuntimeError('out of memory')\nfinally:\n    run.finish()",
        "run = ledger.run('x')\nsys.excepthook = lambda *error: None\nraise RuntimeError('out of memory')",
    ],
    ids=["finally", "a hook put over ours"],
)
def test_an_exception_on_its_way_out_is_the_end_whoever_looks_at_it_first(repo: Path, script: str) -> None:
    (repo / "main.py").write_text(HEAD + script)
    process = run_python(f"import runpy; runpy.run_path({str(repo / 'main.py')!r}, run_name='__main__')", cwd=repo)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 1
    (run,) = Branch.open(repo).contents().runs
    assert (run.record.status, run.record.reason) == ("failed", "RuntimeError: out of memory"), err


def test_a_run_that_a_script_holds_to_the_end_leaves_no_words_at_the_end(repo: Path) -> None:
    process = run_python("import ledger\nrun = ledger.run()\nkept = [run]", cwd=repo)
    assert "Traceback" not in process.communicate(timeout=60)[1]
