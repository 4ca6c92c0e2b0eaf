"""`python -m ledger`."""

import io
import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    _open_standard_streams()
    try:
        if sys.argv[1:2] == ["list"] and (code := _answer_quickly()) is not None:
            sys.exit(code)
        from ledger.cli import run
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C before there was anything to stop; `cli.run` handles it from here on
    sys.exit(run(sys.argv[1:]))


def _answer_quickly() -> int | None:
    """Print an answer that needs no command line, and return the exit code; none where there is no such answer."""
    from ledger.commands.quick.answer import answer

    found = answer(sys.argv[1:])
    if found is None:
        return None
    out, err = found
    try:
        sys.stderr.write(err)
        sys.stdout.write(out)
        sys.stdout.flush()
    except OSError as error:
        from ledger.cli import unwritten

        return unwritten(error)
    return 0


def _open_standard_streams() -> None:
    """Open standard streams that the caller closed: else the next file opened becomes stdout, and receives output."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show a letter of a note shows its number, as stderr does anyway.
        sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main()
