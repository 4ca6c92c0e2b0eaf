"""A notebook file and the real kernel that executes it, cell by cell, as a person does in a browser."""

import json
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ledger.model.entries import StoredRun
from ledger.model.notebook import Notebook
from ledger.store.branch.branch import Branch
from tests.conftest import ROOT


def notebook_text(sources: Sequence[str]) -> str:
    """Return a notebook with an output and an execution count in each cell, as Jupyter saves it."""
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{place}",
            "metadata": {},
            "execution_count": place,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": [os.urandom(4).hex()]}],
            "source": source.splitlines(keepends=True),
        }
        for place, source in enumerate(sources, 1)
    ]
    text = {"cell_type": "markdown", "id": "words", "metadata": {}, "source": "# Words"}
    return json.dumps({"cells": [text, *cells], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


class Kernel:
    """A notebook that is open.

    Args:
        folder: folder of the notebook file.
        sources: its cells.
        variables: further variables of the kernel's environment.
        ids: whether the frontend states the id of a cell, as Jupyter does; `nbclient` does not.
        named: whether it states the path of the notebook.
    """

    def __init__(
        self, folder: Path, sources: Sequence[str], *, ids: bool = True, named: bool = True, **variables: str
    ) -> None:
        from jupyter_client.manager import start_new_kernel

        self.folder = folder
        self.file = folder / "train.ipynb"
        self.sources = list(sources)
        self._ids = ids
        self.save()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "LEDGER_SPOOL": "", **variables}
        environment.pop("PYTEST_CURRENT_TEST", None)  # a kernel under pytest does not watch its descriptors
        if named:
            environment["JPY_SESSION_NAME"] = str(self.file)
        self.manager, self.client = start_new_kernel(cwd=str(folder), env=environment, startup_timeout=240)

    def save(self) -> None:
        """Save the notebook as it is now."""
        self.file.write_text(notebook_text(self.sources), "utf-8")

    def run(self, *places: int) -> dict[str, Any]:
        """Execute cells by their places, from 1; return the reply to the last."""
        reply: dict[str, Any] = {}
        for place in places:
            message = self.client.session.msg(
                "execute_request",
                {
                    "code": self.sources[place - 1],
                    "silent": False,
                    "store_history": True,
                    "user_expressions": {},
                    "allow_stdin": False,
                    "stop_on_error": False,
                },
            )
            if self._ids:
                message["metadata"]["cellId"] = f"cell-{place}"
            self.client.shell_channel.send(message)
            while True:
                reply = self.client.get_shell_msg(timeout=240)
                if reply["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                    break
        return dict(reply["content"])

    def close(self) -> None:
        """Shut the kernel down, as a browser does."""
        self.client.stop_channels()
        self.manager.shutdown_kernel()

    def kill(self) -> None:
        """Kill the kernel at once, as a machine without memory does."""
        provisioner: Any = self.manager.provisioner  # the local one, which has a process
        os.kill(provisioner.pid, signal.SIGKILL)
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def runs_in(folder: Path) -> list[StoredRun]:
    """Return the recorded runs, oldest first."""
    return list(Branch.open(folder).contents().runs)


def only_run(folder: Path) -> tuple[StoredRun, Notebook]:
    """Return the one recorded run, with its notebook."""
    (run,) = runs_in(folder)
    assert run.record.code.notebook is not None, run.record.code.unknown
    return run, run.record.code.notebook


def file_of(folder: Path, run: StoredRun, name: str) -> str:
    """Return a file beside a record."""
    content = Branch.open(folder).read(f"{run.path}/{name}")
    assert content is not None, name
    return content.decode()
