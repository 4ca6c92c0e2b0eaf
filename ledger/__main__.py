"""`python -m ledger`."""

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        from ledger.cli import run
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C before there was anything to stop; `cli.run` answers it from here on
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
