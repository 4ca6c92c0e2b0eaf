"""`ledger cache`: list prepared data, and make room."""

import click

from ledger.commands.output import say, write_json, write_table
from ledger.data.preparing.cache import Cache
from ledger.data.sources.kept_samples import count_decoded
from ledger.data.sources.local_copies import count_copies
from ledger.errors import UsageError
from ledger.formatting import byte_size, duration, moment
from ledger.model.values import counted

_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


@click.group("cache", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def cache_command(context: click.Context, as_json: bool) -> None:
    """List the results of `ledger prepare` and `@ledger.cached`; `ledger cache clean` makes room.

    Example: ledger cache
    """
    if context.invoked_subcommand is not None:
        return
    cache = Cache()
    made = cache.made()
    if as_json:
        write_json(made)
        return
    _tell_others("")
    if not made:
        say(f"no data has been prepared yet; the cache is: {cache.folder}")
        return
    rows = [
        [
            one.key[:12],
            one.preparation.step,
            byte_size(one.bytes),
            duration(one.preparation.duration_seconds),
            moment(one.made_at),
            one.content[:19],
        ]
        for one in made
    ]
    write_table(["key", "step", "size", "took", "made", "content"], rows)
    total = sum({one.content: one.bytes for one in made}.values())
    say(f"{counted(len(made), 'step')}, {byte_size(total)} of {byte_size(cache.limit_bytes)} in {cache.folder}")


@cache_command.command("clean")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--keep", metavar="SIZE", help="Remove the least recently used until this much is left, such as 10G.")
def clean_command(keys: tuple[str, ...], keep: str | None) -> None:
    """Remove results whose KEY starts so, or by size; without either, all, and copies and decoded samples.

    Removed results are made again on request. Results that a link points to go last.

    Example: ledger cache clean --keep 5G
    """
    cache = Cache()
    if keys and keep:
        raise UsageError("give keys or --keep, not both")
    if keys:
        chosen = [one for one in cache.made() if one.key.startswith(keys)]
        if missing := [key for key in keys if not any(one.key.startswith(key) for one in chosen)]:
            raise UsageError(f"no step has this key: `{missing[0]}`", hint="ledger cache lists them")
        freed = sum(cache.remove(one) for one in chosen)
    else:
        chosen = cache.shrink(_bytes(keep) if keep else 0)
        freed = sum({one.content: one.bytes for one in chosen}.values())
    say(f"removed {counted(len(chosen), 'step')}, {byte_size(freed)}")
    if not keys and not keep:
        _tell_others("removed ", remove=True)


def _tell_others(begin: str, *, remove: bool = False) -> None:
    """Say what else lies in the cache; remove it, where that is asked."""
    others = {"copies of files at URLs": count_copies, "decoded samples, sets": count_decoded}
    for what, count_and_size in others.items():
        count, size = count_and_size(remove=remove)
        if count:
            say(f"{begin}{what}: {count}, {byte_size(size)}")


def _bytes(text: str) -> int:
    number, unit = text[:-1], text[-1:].lower()
    if unit.isdigit():
        number, unit = text, ""
    try:
        return int(float(number) * _UNITS[unit])
    except (KeyError, ValueError) as error:
        raise UsageError(f"not a size: `{text}`", hint="such as 500M, 10G or 1T") from error
