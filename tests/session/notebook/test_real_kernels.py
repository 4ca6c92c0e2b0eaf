"""What the record of a run in a notebook says, held against a real kernel."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Cli, git_in
from tests.handbook.pages import HANDBOOK
from tests.session.notebook.kernels import Kernel, file_of, notebook_text, only_run, runs_in

pytest.importorskip("ipykernel")
pytestmark = pytest.mark.slow

Open = Callable[..., Kernel]
BEGIN = "import ledger\nrun = ledger.run('digits', params={'lr': 0.1})\nrun.log(loss=1.0)"


@pytest.fixture
def opened(repo: Path) -> Iterator[Open]:
    """Open notebooks in `repo`; those that a test leaves open are killed."""
    kernels: list[Kernel] = []

    def start(*sources: str, **settings: object) -> Kernel:
        kernels.append(Kernel(repo, sources, **settings))  # type: ignore[arg-type]  # as it takes them
        return kernels[-1]

    yield start
    for kernel in kernels:
        if kernel.manager.is_alive():
            kernel.kill()


def test_a_notebook_that_ran_from_top_to_bottom_is_recorded_cell_by_cell(opened: Open, repo: Path) -> None:
    kernel = opened("x = 1", BEGIN, "run.metric('validation/accuracy', 0.9)")
    kernel.run(1, 2, 3)
    kernel.close()
    run, notebook = only_run(repo)
    assert run.record.status == "finished"
    assert (notebook.path, notebook.command) == ("train.ipynb", ["jupyter", "execute", "train.ipynb"])
    assert notebook.source == "__session__"
    assert str(notebook.kernel).startswith("ipykernel ")
    assert run.record.command == [], "nobody gave the command line of the kernel"
    assert [(one.number, one.position) for one in notebook.executions] == [(1, 1), (2, 2), (3, 3)]
    assert [one.cell for one in notebook.executions] == [None, None, "cell-3"], "the others began before the watch"
    assert [one.before for one in notebook.executions] == [True, False, False]
    assert [one.status for one in notebook.executions] == [None, "finished", "finished"]
    assert notebook.warnings() == []
    assert notebook.skipped == 0
    assert notebook.unknown.keys() == {"seconds"}
    source = file_of(repo, run, "notebook.py")
    assert source == f"# %% In [1]\nx = 1\n\n# %% In [2]\n{BEGIN}\n\n# %% In [3]\n{kernel.sources[2]}\n"
    for one in notebook.executions:
        assert one.line is not None
        assert source.split("\n")[one.line - 1 : one.line - 1 + one.lines] == kernel.sources[one.number - 1].split("\n")


def test_the_extension_watches_the_cells_from_its_own_on(opened: Open, repo: Path) -> None:
    kernel = opened("%load_ext ledger", "x = 1", "y = undefined", BEGIN)
    kernel.run(1, 2, 3, 4)
    kernel.close()
    run, notebook = only_run(repo)
    assert [one.status for one in notebook.executions] == ["finished", "finished", "failed", "finished"]
    assert notebook.executions[2].reason == "NameError: name 'undefined' is not defined"
    assert notebook.executions[1].seconds is not None
    assert notebook.executions[1].cell == "cell-2"
    assert "seconds" not in notebook.unknown
    assert notebook.warnings() == ["In [3] failed before the run began"]
    assert run.record.status == "finished"


def test_the_cell_that_failed_ends_the_run(opened: Open, repo: Path) -> None:
    kernel = opened(BEGIN, "def train():\n    raise ValueError('the loss is not finite')\ntrain()")
    assert kernel.run(1, 2)["status"] == "error"
    kernel.close()
    run, notebook = only_run(repo)
    assert (run.record.status, run.record.reason) == ("failed", "ValueError: the loss is not finite")
    assert [one.status for one in notebook.executions] == ["finished", "failed"]
    assert notebook.executions[1].reason == run.record.reason
    log = file_of(repo, run, "log.txt")
    assert "in train" in log, "the traceback that the notebook shows is in the log"
    assert "site-packages" not in log, "and begins with the cell"


def test_a_run_that_went_on_after_a_failed_cell_has_not_failed(opened: Open, repo: Path) -> None:
    kernel = opened(BEGIN, "1 / 0", "x = 2", "run.log(loss=0.5)")
    kernel.run(1, 2, 3, 4)
    kernel.close()
    assert only_run(repo)[0].record.status == "finished"


def test_cells_that_were_only_executed_are_no_sign_that_the_run_went_on(opened: Open, repo: Path) -> None:
    kernel = opened(BEGIN, "1 / 0", "x = 2")
    kernel.run(1, 2, 3)
    kernel.close()
    assert only_run(repo)[0].record.status == "failed"


def test_cells_out_of_order_are_named(opened: Open, repo: Path) -> None:
    kernel = opened("x = 1", "x = 2", "y = 3", BEGIN, "print(x)")
    kernel.run(2, 1, 4, 5, 5)
    kernel.close()
    run, notebook = only_run(repo)
    assert [one.position for one in notebook.executions] == [2, 1, 4, 5, 5]
    assert [one.late for one in notebook.executions] == [False, True, False, False, True]
    assert notebook.skipped == 1
    assert notebook.warnings() == [
        "In [2], In [5] ran out of order: after a cell below, or again",
        "1 cell above an executed one never ran",
    ]
    assert file_of(repo, run, "notebook.py").count("print(x)") == 1, "a source is kept once"


def test_a_cell_that_was_edited_after_it_ran_is_named(opened: Open, repo: Path) -> None:
    kernel = opened("%load_ext ledger", "lr = 0.1", BEGIN)
    kernel.run(1, 2, 3)
    kernel.sources[1] = "lr = 0.2"
    kernel.save()
    kernel.close()
    _, notebook = only_run(repo)
    assert [one.changed for one in notebook.executions] == [None, "edited", None]
    assert notebook.warnings() == ["In [2] ran with a source that was edited afterwards"]


def test_a_file_that_was_not_saved_since_says_nothing_of_later_edits(opened: Open, repo: Path) -> None:
    kernel = opened("%load_ext ledger", "lr = 0.1", BEGIN)
    kernel.sources[1] = "lr = 0.2"  # in the browser only
    kernel.run(1, 2, 3)
    kernel.close()
    _, notebook = only_run(repo)
    assert [one.changed for one in notebook.executions] == [None, "unsaved", None]
    assert notebook.warnings() == []


def test_a_cell_that_ran_with_two_sources_was_edited_whatever_the_file_says(opened: Open, repo: Path) -> None:
    kernel = opened("%load_ext ledger", "lr = 0.1", BEGIN, named=False)
    kernel.run(1, 2)
    kernel.sources[1] = "lr = 0.2"
    kernel.run(2, 3)
    kernel.close()
    _, notebook = only_run(repo)
    assert [one.changed for one in notebook.executions] == [None, "edited", None, None]
    assert "LEDGER_NOTEBOOK" in notebook.unknown["path"]
    assert "order" in notebook.unknown


def test_two_runs_in_one_notebook_have_what_was_executed_until_their_ends(opened: Open, repo: Path) -> None:
    train = "with ledger.run('digits', params={'lr': LR}) as run:\n    run.log(loss=1.0)"
    kernel = opened("import ledger", train.replace("LR", "0.1"), train.replace("LR", "0.2"))
    kernel.run(1, 2, 3)
    kernel.close()
    first, second = sorted(runs_in(repo), key=lambda run: str(run.record.params.values["lr"]))
    assert first.record.code.notebook is not None
    assert second.record.code.notebook is not None
    assert [one.number for one in first.record.code.notebook.executions] == [1, 2]
    assert [one.number for one in second.record.code.notebook.executions] == [1, 2, 3]
    assert second.record.code.notebook.executions[-1].status is None, "the run ended in it"


def test_a_kernel_that_is_killed_leaves_its_cells(opened: Open, repo: Path, cli: Cli) -> None:
    kernel = opened(BEGIN, "run.log(loss=0.5)\nprint('the last words')", "import time\ntime.sleep(600)")
    kernel.run(1, 2)
    kernel.client.execute(kernel.sources[2])
    spool = next((repo / ".git" / "ledger" / "spool").iterdir()) / "events.jsonl"
    while "time.sleep" not in spool.read_text():
        pass
    kernel.kill()
    assert cli("recover").code == 0
    run, notebook = only_run(repo)
    assert run.record.status == "lost"
    assert [one.status for one in notebook.executions] == ["finished", "finished", None]
    assert "time.sleep(600)" in file_of(repo, run, "notebook.py")
    assert "the last words" in file_of(repo, run, "log.txt")


def test_a_kernel_is_interrupted_like_a_script(opened: Open, repo: Path) -> None:
    kernel = opened(BEGIN, "raise KeyboardInterrupt")
    kernel.run(1, 2)
    kernel.close()
    run, notebook = only_run(repo)
    assert run.record.status == "interrupted"
    assert notebook.executions[-1].status == "interrupted"


PRINTS = """import os, subprocess, sys
print('of Python')
print('an error of Python', file=sys.stderr)
os.write(1, b'of native code\\n')
subprocess.run('echo of a child', shell=True)
!echo of the shell
pid = os.fork()
if pid == 0:
    print('of a fork')
    sys.stdout.flush()
    os._exit(0)
os.waitpid(pid, 0)
"""


def test_the_output_of_a_kernel_is_its_log(opened: Open, repo: Path) -> None:
    kernel = opened(
        "print('before')", BEGIN, PRINTS, "%%bash\necho of bash", "%%time\nx = 1", "%%capture\nprint('taken')"
    )
    kernel.run(1, 2, 3, 4, 5, 6)
    kernel.close()
    run, notebook = only_run(repo)
    assert [one.status for one in notebook.executions[1:]] == ["finished"] * 5
    log = file_of(repo, run, "log.txt")
    said = ("of Python", "an error of Python", "of native code", "of a child", "of the shell", "of a fork", "of bash")
    assert [text for text in (*said, "Wall time") if text not in log] == []
    assert "before" not in log
    assert "taken" not in log, "what `%%capture` takes is not printed"
    assert "%%bash\necho of bash" in file_of(repo, run, "notebook.py")


def test_a_second_run_in_a_kernel_says_who_keeps_the_output(opened: Open, repo: Path) -> None:
    kernel = opened(
        "import ledger\none = ledger.run('one')\ntwo = ledger.run('two')\ntwo.finish()\nprint('x')\none.finish()"
    )
    kernel.run(1)
    kernel.close()
    unknown = {run.record.experiment: run.record.logs.unknown for run in runs_in(repo)}
    assert unknown["one"] == {}
    assert "an earlier run" in str(unknown["two"])


def test_secrets_and_very_long_cells_are_not_kept(opened: Open, repo: Path, cli: Cli) -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    long = "x = '" + "0123456789" * 200_000 + "'"
    kernel = opened(f"token = '{secret}'", long, BEGIN)
    kernel.run(1, 2, 3)
    kernel.file.unlink()  # else its name and its cells are found by the search of the patch
    kernel.close()
    run, notebook = only_run(repo)
    source = file_of(repo, run, "notebook.py")
    assert secret not in source
    assert "[redacted: " in source
    assert len(source) < 1_100_000
    assert notebook.executions[1].left_out > 900_000
    assert not notebook.exact
    assert sum(run.record.redactions.values()) > 0
    assert secret not in git_in(repo, "log", "-p", "ledger")
    assert cli("verify").code == 0
    assert cli("check").code == 0


def test_a_notebook_outside_of_git_is_recorded_when_there_is_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repo: Path, cli: Cli
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    kernel = Kernel(folder, [BEGIN, "run.finish()"])
    kernel.run(1, 2)
    kernel.close()
    assert cli("recover", "--homeless").code == 0
    run, notebook = only_run(repo)
    assert notebook.path == str(kernel.file)
    assert run.record.code.unknown["commit"] == "the run was not in a git repository"
    assert run.record.code.identity is None
    assert "files that the cells may use" in run.record.code.unknown["identity"]


def test_vs_code_and_papermill_tell_the_path_in_variables_of_their_own(opened: Open, repo: Path) -> None:
    path = repo / "train.ipynb"
    for name in ("__vsc_ipynb_file__", "PAPERMILL_INPUT_PATH"):
        kernel = opened("import ledger; ledger.run('x').finish()", named=False)
        kernel.client.execute(f"{name} = {str(path)!r}", silent=True, reply=True, timeout=240)
        kernel.run(1)
        kernel.close()
    assert [run.record.code.notebook.source for run in runs_in(repo) if run.record.code.notebook] == [
        "__vsc_ipynb_file__",
        "PAPERMILL_INPUT_PATH",
    ]


EXECUTE = """import sys, nbclient, nbformat
book = nbformat.read(sys.argv[1], 4)
nbclient.NotebookClient(book, kernel_name="python3").execute()
nbformat.write(book, sys.argv[1])
"""


def execute(folder: Path, *cells: str, around: tuple[str, ...] = (), **variables: str) -> None:
    """Write a notebook, execute it with nbclient, and save its outputs."""
    (folder / "execute.py").write_text(EXECUTE)
    (folder / "train.ipynb").write_text(notebook_text(cells))
    done = subprocess.run(
        [*around, sys.executable, "execute.py", "train.ipynb"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr


def test_equal_executions_are_repeats_whatever_their_outputs_and_an_edited_cell_is_none(repo: Path) -> None:
    cells = ["import ledger, random", "print(random.random())", BEGIN]
    execute(repo, *cells)
    git_in(repo, "add", "train.ipynb")  # with its outputs
    execute(repo, *cells)
    execute(repo, "%load_ext ledger", *cells)
    execute(repo, *cells[:1], "print(random.random() + 1)", cells[2])
    (repo / "lib.py").write_text("x = 1")
    execute(repo, *cells)
    codes = [run.record.code for run in runs_in(repo)]
    same, again, extended, edited, beside = (code.identity for code in codes)
    assert same is not None
    assert same == again == extended
    assert len({same, edited, beside}) == 3
    assert "path" in (codes[0].notebook.unknown if codes[0].notebook else {}), "nbclient tells no path"


def test_a_notebook_inside_ledger_run_is_one_record_with_its_cells(repo: Path) -> None:
    (repo / "other.py").write_text("")
    for _ in range(2):
        execute(repo, BEGIN, "print('said')", around=(sys.executable, "-m", "ledger", "run", "--"))
    one, two = runs_in(repo)
    assert one.record.code.notebook is not None
    assert [cell.status for cell in one.record.code.notebook.executions] == ["finished", "finished"]
    assert one.record.command[-1] == "train.ipynb"
    assert one.record.code.identity == two.record.code.identity is not None


def test_a_cell_that_executes_another_notebook_leaves_the_identity_unknown(opened: Open, repo: Path) -> None:
    kernel = opened("%run other.ipynb", BEGIN)
    kernel.run(1, 2)
    kernel.close()
    run, notebook = only_run(repo)
    assert run.record.code.identity is notebook.identity is None
    assert "another notebook" in run.record.code.unknown["identity"]


DRAW = """import matplotlib.pyplot as plt
from IPython.display import Image, display
plt.plot([1, 2, 3]); plt.show()
plt.plot([3, 2, 1])
display(plt.gcf())
display(Image(data=bytes.fromhex('89504e470d0a1a0a'), format='png'))"""


def test_figures_that_a_notebook_shows_are_kept_on_request(opened: Open, repo: Path) -> None:
    pytest.importorskip("matplotlib")
    kernel = opened(
        "import ledger\nrun = ledger.run('shown', inline_figures=True)",
        DRAW,
        "run.finish()\nplt.plot([1, 1])",
        "%load_ext ledger",
        f"%%ledger_run in-a-cell --figures\n{DRAW}",
        f"%%ledger_run unasked\n{DRAW}",
    )
    reply = kernel.run(1, 2, 3, 4, 5, 6)
    assert reply["status"] == "ok", reply
    kernel.close()
    figures = {run.record.experiment: run.record.results.figures for run in runs_in(repo)}
    assert [one.title for one in figures["shown"]] == ["In [2]", "In [2] 2"]
    assert [one.title for one in figures["in-a-cell"]] == ["In [5]", "In [5] 2"], "the second is shown after its end"
    assert figures["unasked"] == []
    assert {one.file[-4:] for one in figures["shown"]} == {".png"}


def test_a_magic_runs_a_cell_as_a_run(opened: Open, repo: Path) -> None:
    kernel = opened(
        "%load_ext ledger",
        "%%ledger_run digits -p lr=0.1 -t quick --seed 3 -n 'a note'\nrun.log(loss=1.0)\nprint('hello')\n40 + 2",
        "%%ledger_run digits\nx = 1\nraise ValueError('no data')",
        "%%ledger_run digits -p lr\nnever = 1",
        "%%ledger_run digits -t ''\nnever = 1",
        "%%ledger_run --help\nnever = 1",
        "assert x == 1 and _2 == 42 and 'never' not in globals()",
        "%ledger list\n%ledger nothing\n%ledger 'open",
    )
    replies = [kernel.run(place) for place in range(1, 9)]
    kernel.close()
    assert [reply["status"] for reply in replies] == ["ok", "ok", "error", "error", "error", "ok", "ok", "ok"]
    assert [reply["ename"] for reply in replies[2:5]] == ["ValueError", "UsageError", "UsageError"]
    good, bad = runs_in(repo)
    assert (good.record.status, good.record.seed, good.record.params.values) == ("finished", 3, {"lr": 0.1})
    assert (good.record.tags, good.record.note) == (["quick"], "a note")
    assert (bad.record.status, bad.record.reason) == ("failed", "ValueError: no data")
    assert "hello" in file_of(repo, good, "log.txt")
    assert "42" not in file_of(repo, good, "log.txt"), "the value of a cell is an output, and no print"


def test_tab_completes_the_commands_and_their_options(opened: Open) -> None:
    kernel = opened("%load_ext ledger")
    kernel.run(1)
    found = {}
    for line in ("%ledger comp", "%ledger show --req", "%%ledger_run --fig"):
        kernel.client.complete(line)
        found[line] = kernel.client.get_shell_msg(timeout=240)["content"]["matches"]
    assert found == {
        "%ledger comp": ["compare", "completion"],
        "%ledger show --req": ["--requirements"],
        "%%ledger_run --fig": ["--figures"],
    }
    kernel.close()


def test_the_code_of_the_handbook_does_what_its_page_says(opened: Open, repo: Path) -> None:
    page = (HANDBOOK / "notebooks.md").read_text("utf-8")
    cells = re.findall(r"^```(?:python|text)\n(.*?)\n```", page, re.MULTILINE | re.DOTALL)
    kernel = opened(*cells)
    assert [kernel.run(place)["status"] for place in range(1, len(cells) + 1)] == ["ok"] * 6
    kernel.close()
    one, two = runs_in(repo)
    assert (one.record.seed, one.record.params.values) == (1, {"lr": 0.1})
    assert one.record.headline is not None
    assert two.record.statistics.steps == 1
    assert [run.record.code.notebook.unknown for run in (one, two) if run.record.code.notebook] == [{}, {}]
