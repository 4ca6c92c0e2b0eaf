"""`ledger align`: whether better offline means better in production."""

import click

from ledger.analysis.comparing.alignment import Alignment, align
from ledger.commands.output import echo, say, write_json
from ledger.commands.selection import query_of, read_selection
from ledger.commands.workplace import open_ledger
from ledger.errors import UsageError
from ledger.formatting import number
from ledger.model.values import counted, plain


@click.command("align")
@click.argument("offline", metavar="OFFLINE")
@click.argument("online", metavar="ONLINE")
@click.argument("filters", nargs=-1, metavar="[FILTER]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def align_command(offline: str, online: str, filters: tuple[str, ...], as_json: bool) -> None:
    """Show whether runs with better values of the metric OFFLINE have better values of ONLINE, measured in production.

    Spearman's rank correlation with its 95 % interval, for each dataset version and period that runs share. Online
    metrics are recorded with: ledger evaluate RUN -m online/NAME=VALUE --period DAY/DAY. A FILTER is a query, as in
    ledger list.

    Example: ledger align validation/accuracy online/click_rate
    """
    runs = read_selection(open_ledger(), query_of(filters)).runs
    try:
        found = align(runs, offline, online)
    except ModuleNotFoundError as error:
        raise UsageError(f"ranking needs a package: `{error.name}`", hint="pip install 'git-ledger[data]'") from None
    if as_json:
        write_json(found)
        return
    if not found:
        say(plain(f"no run has both {offline} on known data and {online} over a period"))
        say(plain(f"hint: ledger evaluate RUN -m {online}=VALUE --period DAY/DAY"))
    for alignment in found:
        _print_alignment(alignment)


def _print_alignment(alignment: Alignment) -> None:
    runs = counted(len(alignment.pairs), "run")
    echo(plain(f"{alignment.offline.label}, and {alignment.online.label}: {runs}"))
    if alignment.interval is None or alignment.correlation is None:
        say(f"  {alignment.why_not}")
        return
    low, high = alignment.interval
    rho = f"rank correlation {number(alignment.correlation, 2)} (95 %: {number(low, 2)} to {number(high, 2)})"
    echo(f"  {alignment.answer}: {rho}")
