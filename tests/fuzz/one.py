"""Fuzzes one reader with libFuzzer's options: `python -m tests.fuzz.one NAME CORPUS -max_total_time=60`."""

import sys

import atheris

with atheris.instrument_imports(include=["ledger"]):
    from tests.fuzz.targets import TARGETS, attempt


def main() -> None:
    """Fuzz until the time is up; the input of a fault is kept and the exit code is another than 0."""
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, lambda data: attempt(TARGETS[name], data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
