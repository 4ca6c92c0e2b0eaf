"""`ledger prepare`: run a preprocessing command once for its code, params and data."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import click

from ledger.capture.inputs.params import parse_assignment
from ledger.commands.output import say, write_json
from ledger.commands.progress import Bar
from ledger.data.preparing.cache import Cache, key_of
from ledger.data.preparing.step_code import hash_scripts
from ledger.data.version.manifest import build_manifest
from ledger.errors import LedgerError, UsageError
from ledger.formatting import byte_size, duration
from ledger.model.datasets import Preparation, Source
from ledger.model.values import counted
from ledger.settings import DATASET_VARIABLE, OUT_VARIABLE


class _Failed(LedgerError):
    """The command itself failed, and has printed why."""

    def __init__(self, code: int) -> None:
        super().__init__("the command failed, so nothing it wrote was kept")
        self.code = code


@click.command("prepare", context_settings={"ignore_unknown_options": True})
@click.option("-d", "--dataset", "datasets", multiple=True, required=True, metavar="PATH", help="Data that it reads.")
@click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="Param that the result depends on.")
@click.option(
    "--code",
    "code",
    multiple=True,
    metavar="PATH",
    help="Files that the result depends on and the command does not name.",
)
@click.option("-o", "--out", required=True, type=click.Path(), help="Path for the result: a link into the cache.")
@click.option("--force", is_flag=True, help="Run it even if its result exists.")
@click.option("--json", "as_json", is_flag=True, help="Print the path of the result, and how it was made, as JSON.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def prepare_command(
    datasets: tuple[str, ...],
    params: tuple[str, ...],
    code: tuple[str, ...],
    out: str,
    force: bool,
    as_json: bool,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND once for its code, its params and the content of its data.

    In COMMAND, {dataset} stands for the (first) dataset and {out} for the folder to write to; they are also in the
    environment as LEDGER_DATASET and LEDGER_OUT. The second time the result is there at once. A command that fails
    leaves no result, and its exit code is returned; of two calls at the same time, one runs it and both get the result.

    Example: ledger prepare -d data/raw -p size=32 -o data/small -- python shrink.py {dataset} {out} --size 32
    """
    if not any("{out}" in word for word in command) and OUT_VARIABLE not in " ".join(command):
        say("hint: the command does not name {out}, so it must write to the folder in $LEDGER_OUT")
    cache = Cache()
    with Bar("hashing datasets") as bar:
        sources = [
            Source(path=path, hash=build_manifest(path, progress=bar.count, cache=cache.hashes).hash)
            for path in datasets
        ]
    named = [Path(word) for word in (*command, *code) if Path(word).is_file()]
    if missing := [path for path in code if not Path(path).is_file()]:
        raise UsageError(f"no such file: `{missing[0]}`")
    preparation = Preparation(
        step=" ".join(command),
        code=hash_scripts(named, Path()),
        params=dict(parse_assignment(text) for text in params),
        sources=sources,
        duration_seconds=0.0,
    )
    key = key_of(preparation.step, preparation.code, preparation.params, sources)
    found = cache.find(key)
    if found is not None and force:
        cache.remove(found)
        found = None
    try:
        prepared = found or cache.prepare(key, preparation, lambda folder: _run(command, datasets[0], folder))
    except _Failed as failed:
        say(f"error: {failed.message}")
        return failed.code
    cache.link(prepared, Path(out))
    if as_json:
        write_json(
            {
                "path": out,
                "ran": found is None,
                **{name: getattr(prepared, name) for name in prepared.__struct_fields__},
            }
        )
    else:
        took = duration(prepared.preparation.duration_seconds)
        said = f"made in {took}" if found is None else f"there already, made in {took} on {prepared.made_at:%Y-%m-%d}"
        say(f"{out}: {counted(prepared.files, 'file')}, {byte_size(prepared.bytes)}, {prepared.content[:19]} ({said})")
    return 0


def _run(command: Sequence[str], dataset: str, folder: Path) -> None:
    words = [word.replace("{dataset}", dataset).replace("{out}", str(folder)) for word in command]
    try:
        done = subprocess.run(
            words, env={**os.environ, DATASET_VARIABLE: dataset, OUT_VARIABLE: str(folder)}, check=False
        )
    except OSError as error:
        raise UsageError(
            f"cannot start the command ({(error.strerror or str(error)).lower()}): `{words[0]}`"
        ) from error
    if done.returncode:
        raise _Failed(done.returncode if done.returncode > 0 else 128 - done.returncode)
