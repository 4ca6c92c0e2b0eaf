"""Put faults drawn at random into a copy of the checkout, and see for each whether a test notices.

    python -m tests.mutation.run --count 100 --seed 2026

Which lines each test runs is seen once; for a fault in one those tests are run, the most particular first, until one
fails. What none runs in its own process is left to tests that start processes; so is what survived, with `--again`.
What nobody noticed stands in `survivors.diff`.
"""

import argparse
import difflib
import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from ledger.hashing import hash_bytes
from tests.mutation.chosen import PARTS, Part
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.watching import Watched

ROOT = Path(__file__).parents[2]
COPIED = ("ledger", "tests", "templates", "site", "hooks", ".github", "pyproject.toml", "CHANGELOG.md", "README.md")
_MOST_SECONDS = 20.0
"""How long the tests of one fault may take when nothing is wrong; those that do least besides are taken."""
_AGAIN_SECONDS = 180.0
"""The same for one that survived, with `--again`."""
_BEYOND_SECONDS = 900.0
"""How long the tests may take that start processes."""
_SLOWER = 4
"""A fault whose tests take so many times longer is a timeout: it loops, and that is noticed too."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one fault."""

    file: str
    line: int
    kind: str
    text: str
    end: str
    """`killed`, `survived` or `timeout`."""
    by: str
    """How many tests were run, or which one noticed."""
    diff: str


class Bench:
    """A copy of the checkout in which faults are tried."""

    def __init__(self, part: Part, kept: Path) -> None:
        self.part = part
        self.root = kept.absolute() / "checkout"
        self._kept = kept.absolute()
        shutil.rmtree(self.root, ignore_errors=True)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(ROOT / name, self.root / name)

    @cached_property
    def _tests(self) -> dict[str, Watched]:
        watched = self._kept / f"watched-{self._state}.json"
        if not watched.exists():
            watching = ["-p", "tests.mutation.watching", f"--watched={watched}", *self.part.tests]
            done = self._pytest(watching, 3600)
            if done.returncode:
                watched.unlink(missing_ok=True)
                raise SystemExit(f"the tests fail without any fault:\n{done.stdout[-3000:]}")
        return msgspec.json.decode(watched.read_bytes(), type=dict[str, Watched])

    @cached_property
    def _state(self) -> str:
        """What code and tests of the part hold: by times alone, an older checkout passes for a newer one."""
        files = {path for pattern in self.part.files for path in ROOT.glob(pattern)}
        tests = [ROOT / name for name in self.part.tests]
        files |= {path for test in tests for path in ([test] if test.is_file() else test.rglob("*.py"))}
        return hash_bytes(b"\0".join(str(path).encode() + path.read_bytes() for path in sorted(files)))[7:23]

    def _pytest(
        self, arguments: Sequence[str], seconds: float, environment: dict[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        always = ["-q", "-x", "-p", "no:cacheprovider", "--no-header", "--tb=line"]
        process = subprocess.Popen(
            ["nice", "-n", "19", sys.executable, "-m", "pytest", *always, *arguments],
            cwd=self.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(self.root), **(environment or {})},
        )
        try:
            out, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.communicate()
            raise
        return subprocess.CompletedProcess(arguments, process.returncode, out)

    def tests_for(self, mutant: Mutant, seconds: float) -> list[str]:
        """Return the tests that run a faulty line.

        First one case of each, those that do least besides before the others; then second cases, and so on.
        """
        lines = set(range(mutant.line, mutant.last + 1))
        names = [name for name, test in self._tests.items() if not lines.isdisjoint(test.lines.get(mutant.file, ()))]
        if not mutant.function:  # it ran when the file was imported, before every test
            own = f"/test_{Path(mutant.file).stem}.py::"
            names = [name for name, test in self._tests.items() if mutant.file in test.lines or own in name]
        cases: Counter[str] = Counter()
        turns: list[tuple[int, int, str]] = []
        for name in sorted(names, key=lambda name: (self._tests[name].count, name)):
            turns.append((cases[name.partition("[")[0]], self._tests[name].count, name))
            cases[name.partition("[")[0]] += 1
        chosen: list[str] = []
        for _, _, name in sorted(turns):
            seconds -= self._tests[name].seconds
            if seconds >= 0 or not chosen:
                chosen.append(name)
        return chosen

    def attempt(self, mutant: Mutant, seconds: float, *, beyond: bool) -> Result:
        """Put one fault in, run its tests, as many as take so long, and take it out.

        Args:
            mutant: the fault.
            seconds: how long its tests may take when nothing is wrong.
            beyond: run those as well that start processes; they are run in any case where there are no others.
        """
        path = self.root / mutant.file
        source = path.read_bytes()
        tests = self.tests_for(mutant, seconds)
        expected = sum(self._tests[name].seconds for name in tests)
        if beyond:  # what was chosen at first has passed
            chosen_before = set(self.tests_for(mutant, _MOST_SECONDS))
            rounds = [[*self.part.beyond], [name for name in tests if name not in chosen_before]]
        else:
            rounds = [[*tests]] if tests else [[*self.part.beyond]]
        end, by = "survived", f"{len(tests)} tests" + (" and those that start processes" if beyond or not tests else "")
        try:
            _write_source(path, mutant.applied(source))
            for chosen in filter(None, rounds):
                # Nobody saw how long those take that start processes: they may take their time.
                seen = not set(chosen).isdisjoint(tests)
                done = self._pytest(chosen, 60 + _SLOWER * max(expected, seconds) if seen else _BEYOND_SECONDS)
                # A fault may be noticed as its file is imported: pytest then does not get as far as the tests.
                imported = not any(one in done.stdout for one in ("ERROR collecting", "ImportError while loading"))
                if done.returncode not in {0, 1, 2, 3} and imported:
                    raise RuntimeError(done.stdout[-3000:])
                if done.returncode:
                    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
                    end, by = "killed", failed[0][:200] if failed else "an error"
                    break
        except subprocess.TimeoutExpired:
            end = "timeout"
        finally:
            _write_source(path, source)
        return Result(
            file=mutant.file,
            line=mutant.line,
            kind=mutant.kind,
            text=mutant.text,
            end=end,
            by=by,
            diff=self.difference(mutant),
        )

    def difference(self, mutant: Mutant) -> str:
        """Return a fault as a patch."""
        source = (ROOT / mutant.file).read_bytes()
        before, after = (text.decode().splitlines(keepends=True) for text in (source, mutant.applied(source)))
        return "".join(difflib.unified_diff(before, after, mutant.file, mutant.file, n=2))


def _write_source(path: Path, source: bytes) -> None:
    """Write a module and remove its byte code, which is known by second and size alone."""
    path.write_bytes(source)
    for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        stale.unlink()


def _apart(diff: str) -> str:
    """Return what tells a fault from others, wherever in its file it stands."""
    return re.sub(r"^@@ .*$", "@@", diff, flags=re.MULTILINE)


def draw(part: Part, seed: int) -> list[Mutant]:
    """Return all faults of a part, in the order in which they are tried."""
    files = sorted({str(path.relative_to(ROOT)) for pattern in part.files for path in ROOT.glob(pattern)})
    mutants = [mutant for file in files for mutant in mutants_of(file, ROOT)]
    random.Random(seed).shuffle(mutants)  # noqa: S311  # a draw, no secret
    return mutants


def tell(results: Iterable[Result]) -> None:
    """Print how many faults were noticed, file by file."""
    counts: dict[str, Counter[str]] = {}
    for result in results:
        counts.setdefault(result.file, Counter())[result.end] += 1
    counts["all"] = sum(counts.values(), Counter())
    print(f"{'':44} drawn killed timeout survived")
    for file, count in counts.items():
        print(f"{file:44} {count.total():5} {count['killed']:6} {count['timeout']:7} {count['survived']:8}")


def main() -> None:
    """Try faults and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, default="trust", help="What the faults are put into.")
    parser.add_argument("--count", type=int, default=50, help="How many faults are tried, those tried before included.")
    parser.add_argument("--seed", type=int, default=2026, help="Of the draw.")
    parser.add_argument("--report", type=Path, default=ROOT / "build" / "mutation", help="Where results are kept.")
    parser.add_argument("--again", action="store_true", help="Try those that survived before, and no others.")
    options = parser.parse_args()
    kept: Path = options.report / options.part
    kept.mkdir(parents=True, exist_ok=True)
    log = kept / f"results-{options.seed}.jsonl"
    known = [msgspec.json.decode(line, type=Result) for line in log.read_bytes().splitlines()] if log.exists() else []
    bench = Bench(PARTS[options.part], kept)
    drawn = {_apart(bench.difference(mutant)): mutant for mutant in draw(PARTS[options.part], options.seed)}
    # What is known of code that has changed since says nothing any more.
    done = {fault: one for one in known if (fault := _apart(one.diff)) in drawn}
    for fault, mutant in drawn.items():
        before = done.get(fault)
        if (before is None or before.end != "survived") if options.again else (before or len(done) >= options.count):
            continue
        result = bench.attempt(mutant, _AGAIN_SECONDS if before else _MOST_SECONDS, beyond=before is not None)
        done[fault] = result
        print(f"{result.end:8} {result.file}:{result.line} {result.kind} {result.by}", flush=True)
        log.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in done.values()))
        survivors = [f"# {one.kind}, {one.by}\n{one.diff}\n" for one in done.values() if one.end == "survived"]
        (kept / "survivors.diff").write_text("".join(survivors), encoding="utf-8")
    tell(done.values())


if __name__ == "__main__":
    main()
