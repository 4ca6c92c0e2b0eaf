"""`ledger verify`: an answer about every record ever made."""

import click

from ledger.commands.output import plain, say, write_json
from ledger.repository.blobs import blob_reader
from ledger.store.ledger import Ledger
from ledger.store.verify import verify


@click.command("verify")
@click.option("--since", metavar="COMMIT", help="Walk only the history after this commit.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify_command(since: str | None, as_json: bool) -> int:
    """Verify that the ledger only ever grew, and that it holds what its records say.

    Every commit is compared with every parent; every document is read and every hash taken again. Exit code 1
    when something is wrong.
    """
    ledger = Ledger.open()
    with blob_reader(ledger.repository) as read_blob:
        verdict = verify(ledger, read_blob, since)
    if as_json:
        write_json(verdict)
        return 0 if verdict.clean else 1
    for finding in verdict.findings:
        commit = f"{finding.commit[:10]} " if finding.commit else ""
        click.echo(plain(f"{commit}{finding.path or ledger.ref}: {finding.message}"))
    for unseen in verdict.open:
        say(f"cannot tell: {unseen}")
    walked = f"{verdict.entries} entries in {verdict.commits} commits"
    say(f"{walked}: {f'{len(verdict.findings)} findings' if verdict.findings else 'nothing is wrong'}")
    return 0 if verdict.clean else 1
