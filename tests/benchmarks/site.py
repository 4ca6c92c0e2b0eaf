"""What the site costs: `python tests/benchmarks/site.py [RUNS …]`.

Prints CPU milliseconds per record page on a cold build, what one new record costs among all others, the same for a
ledger that is read from its branch, and the bytes of search data per run (raw and gzipped). Without
arguments: 1,000 and 10,000 runs.
"""

import gzip
import sys
import time
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).parents[2]))

from ledger.publish.site.build import build_site
from ledger.publish.site.ledger_site import build_ledger_site
from ledger.publish.site.output import SiteReport
from tests.benchmarks.ledgers import grow, ledger_of
from tests.benchmarks.measuring import cpu_seconds, options_of, sized, workplace
from tests.samples import many_runs, sample_log, sample_reader


class Bench:
    """One ledger, built again and again in one folder."""

    def __init__(self, count: int, folder: Path) -> None:
        self.contents, blobs = many_runs(count)
        self.read_blob = sample_reader(blobs)
        self.log = sample_log(self.contents)
        self.output = folder / "site"

    def build(self, count: int | None = None) -> tuple[float, SiteReport]:
        """Build the first `count` runs, by default all; return CPU seconds and what the build says."""
        contents = msgspec.structs.replace(self.contents, runs=self.contents.runs[:count])
        start = time.process_time()
        report = build_site(contents, self.read_blob, self.log, self.output)
        return time.process_time() - start, report


def through_the_branch(count: int, folder: Path) -> tuple[float, float, float]:
    """Return the CPU seconds, git's included, of builds from a repository: cold, one new record, nothing new."""
    ledger = ledger_of(count, folder / "repository")
    found = []
    for number in range(3):
        if number == 1:
            grow(folder / "repository", [10_000_000])
        start = cpu_seconds()
        build_ledger_site(ledger, folder / "branch", title="Experiment ledger")
        found.append(cpu_seconds() - start)
    return found[0], found[1], found[2]


def main(counts: list[int]) -> None:
    """Measure each size in turn."""
    for count in counts:
        with workplace() as folder:
            bench = Bench(count, folder)
            cold, report = bench.build(count - 1)
            warm, one = bench.build()
            idle, _ = bench.build()
            parts = [bench.output / "data/runs.js", *sorted((bench.output / "data/table").iterdir())]
            data = [path.read_bytes() for path in parts]
            branch = through_the_branch(count, folder)
            size = sum(path.stat().st_size for path in bench.output.rglob("*") if path.is_file())
        print(f"{count} runs of 20 params and 10 metrics")
        print(f"  cold build         {cold:8.2f} s CPU, {cold / report.written * 1000:.2f} ms a page")
        print(f"  one new record     {warm:8.2f} s CPU, {one.seconds:.2f} s in all, {one.written} pages written")
        print(f"  nothing new        {idle:8.2f} s CPU")
        print(
            f"  table and search   {sum(map(len, data)) / count:8.0f} bytes a run,"
            f" {sum(len(gzip.compress(one)) for one in data) / count:.0f} gzipped"
        )
        print(
            f"  from the branch    {branch[0]:8.2f} s CPU, {branch[1]:.2f} s one record, {branch[2]:.2f} s nothing new"
        )
        print(f"  whole site         {size / count / 1000:8.1f} kB a run")


if __name__ == "__main__":
    parser = options_of(__doc__)
    parser.add_argument("runs", type=int, nargs="*", default=[sized(1000, 5), sized(10_000, 10)])
    main(parser.parse_args().runs)
