"""Runs git: argument lists, a scrubbed environment, no shell, no prompt, errors in one line."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ledger.errors import GitKilled, LedgerError, NotFound, Unanswered

DURABLE = ("-c", "core.fsync=loose-object,pack,reference", "-c", "core.filesRefLockTimeout=2000")
"""Settings of whatever writes what is then promised. By itself git (2.36 and later; older ones do not know the
setting) leaves loose objects and refs to the kernel, so a power cut could take back an acknowledged record, or leave a
branch that points at nothing. Measured: 2.4 ms and 1 ms of CPU for one append. A ref that another git has locked is
waited for, 2 s; by itself git gives up after 0.1 s (git-config, core.fsync and core.filesRefLockTimeout)."""

_KEPT = frozenset(
    {
        "GIT_ALLOW_PROTOCOL",
        "GIT_ASKPASS",
        "GIT_AUTHOR_EMAIL",
        "GIT_AUTHOR_NAME",
        "GIT_CEILING_DIRECTORIES",
        "GIT_COMMITTER_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_CONFIG_COUNT",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_CONFIG_SYSTEM",
        "GIT_DISCOVERY_ACROSS_FILESYSTEM",
        "GIT_EXEC_PATH",
        "GIT_HTTP_PROXY_AUTHMETHOD",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_NO_VERIFY",
        "GIT_TRACE",
        "GIT_TRACE2_EVENT",
    }
)
"""Variables that say how to reach or configure git. All others (GIT_DIR, GIT_INDEX_FILE, GIT_QUARANTINE_PATH…)
are set by git for its hooks and would silently send our calls to another repository or index."""


def git_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the process environment without the `GIT_*` that a hook inherits, plus `extra`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in _KEPT or name.startswith(("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_"))
    }
    # Messages are matched and shown; no call may ever wait for a terminal.
    return kept | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"} | _AS_IT_IS | dict(extra or {})


_AS_IT_IS = {"GIT_NO_REPLACE_OBJECTS": "1"}
"""Replace refs show objects that are not those that others have under the same id."""

_PUSHED = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")
"""Folder of the objects of a push until its hooks have accepted it (git-receive-pack, "quarantine")."""


def quarantined_objects() -> dict[str, str]:
    """Return the variables that let git see the objects of a push in `pre-receive`; they are set only on request."""
    return {name: os.environ[name] for name in _PUSHED if name in os.environ}


class Git:
    """The git command, bound to one folder or git directory.

    Args:
        folder: where git is run.
        environment: variables added to the scrubbed environment, such as `GIT_DIR`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.environment_added = dict(environment or {})
        self._environment = git_environment(self.environment_added)

    def having(self, environment: Mapping[str, str]) -> "Git":
        """Return the same git with more variables."""
        return Git(self.folder, self.environment_added | dict(environment))

    def output(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Return the output of git.

        Raises:
            LedgerError: git exits with an error; its own last line is the message.
            NotFound: git is not installed.
        """
        code, out, err = self.attempt(*arguments, stdin=stdin)
        if code:
            raise git_error(_command(arguments), code, err)
        return out

    def attempt(
        self,
        *arguments: str,
        stdin: bytes = b"",
        timeout_seconds: float | None = None,
        inherited: Sequence[int] = (),
    ) -> tuple[int, bytes, bytes]:
        """Return exit code, output and errors, whatever the exit code; a negative one is the signal that killed git.

        Git and what it starts hold the `inherited` descriptors open until they end. With a timeout git gets a
        session of its own: no terminal to ask at, and it can be ended with all its children.

        Raises:
            NotFound: git is not installed.
            Unanswered: the time is over; git and whatever it started were ended.
        """
        alone = timeout_seconds is not None
        with self._started(arguments, subprocess.PIPE, alone=alone, inherited=inherited) as process:
            try:
                out, err = process.communicate(stdin, timeout=timeout_seconds)
            except subprocess.TimeoutExpired as error:
                _end(process)
                raise Unanswered(f"no answer within {timeout_seconds:.0f} s") from error
            except BaseException:
                if timeout_seconds is not None:
                    _end(process)  # Ctrl-C does not reach a session of its own
                raise
        return process.returncode, out, err

    @contextmanager
    def streaming(self, *arguments: str, stdin: IO[bytes]) -> Iterator[IO[bytes]]:
        """Run git with a file as input and yield its output as a stream.

        Raises:
            LedgerError: git exits with an error and the caller read to the end.
            NotFound: git is not installed.
        """
        with self._started(arguments, stdin, stderr=subprocess.DEVNULL) as process:
            if process.stdout is None:
                raise LedgerError("git gave no output stream")
            try:
                yield process.stdout
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            raise git_error(_command(arguments), process.returncode, b"")

    def _started(
        self,
        arguments: Sequence[str],
        stdin: int | IO[bytes],
        stderr: int = subprocess.PIPE,
        *,
        alone: bool = False,
        inherited: Sequence[int] = (),
    ) -> "subprocess.Popen[bytes]":
        try:
            return subprocess.Popen(
                ["git", *arguments],
                cwd=self.folder,
                env=self._environment,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=alone,
                pass_fds=inherited,
            )
        except FileNotFoundError as error:
            if not self.folder.is_dir():
                raise NotFound(f"no such folder: `{self.folder}`") from error
            raise NotFound("git is not installed or not on PATH", hint="install git 2.30 or newer") from error
        except NotADirectoryError as error:
            raise NotFound(f"not a folder: `{self.folder}`") from error
        except PermissionError as error:
            raise LedgerError(f"no permission to enter the folder: `{self.folder}`") from error


_GRACE_SECONDS = 0.5
"""Time for git to remove its temporary files before it is killed."""


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that leads a session, with all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=_GRACE_SECONDS)


def _command(arguments: Sequence[str]) -> str:
    """Return git's command line, with the settings of this call first."""
    position = 0
    while arguments[position] == "-c":
        position += 2
    return arguments[position]


def git_error(command: str, code: int, err: bytes) -> LedgerError:
    """Return git's failure as one line: its last `fatal:` or `error:` line, else its last line.

    A negative exit code is the signal that killed git: a `GitKilled`, since its locks may be left.
    """
    if code < 0:
        return GitKilled(f"git {command} was killed (signal {-code})", hint="run the command again")
    lines = [line.strip() for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines
    said = telling[-1].removeprefix("fatal: ").removeprefix("error: ") if telling else f"exit code {code}"
    return LedgerError(f"git {command} failed: {said}")
