"""The command that a person has asked for at the end of each run: `git config ledger.onEnd`.

It is read from git's configuration alone, which nobody can send along with a repository: a policy or a record can
name no command.
"""

import os
import subprocess
from contextlib import suppress

from ledger.model.record import Record
from ledger.model.values import plain
from ledger.recorder.message import closing_line
from ledger.repository.repository import Repository
from ledger.settings import (
    END_SETTING,
    EXPERIMENT_VARIABLE,
    RUN_ID_VARIABLE,
    STATUS_VARIABLE,
    SUMMARY_VARIABLE,
)

_PATIENCE_SECONDS = 2.0
"""How long the end of a training waits for the command; what takes longer goes on by itself."""


def run_end_command(repository: Repository, record: Record) -> str | None:
    """Start the command that is to run at the end of a run; return what went wrong, if anything; never raises.

    The shell runs it, as git runs an alias, in the top folder of the repository and without this terminal. What it is
    about stands in environment variables: nothing of a record becomes part of the command.
    """
    try:
        command = repository.setting(END_SETTING)
        if not command:
            return None
        process = subprocess.Popen(  # the person's own command
            ["/bin/sh", "-c", command],
            cwd=repository.worktree or repository.common_dir,
            env=os.environ
            | {
                RUN_ID_VARIABLE: record.id,
                EXPERIMENT_VARIABLE: plain(record.experiment),
                STATUS_VARIABLE: record.status,
                SUMMARY_VARIABLE: plain(closing_line(record)),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except Exception as error:  # noqa: BLE001  # training has ended well, whatever this command does
        return f"ledger.onEnd was not started: {error}"
    with suppress(subprocess.TimeoutExpired):
        if code := process.wait(_PATIENCE_SECONDS):
            return f"ledger.onEnd ended with exit code {code}: `{plain(command)}`"
    process.returncode = process.returncode or 0  # it goes on by itself: no warning of a child that is left
    return None
