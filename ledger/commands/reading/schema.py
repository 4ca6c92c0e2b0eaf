"""`ledger schema`: the JSON Schema of every document."""

import click

from ledger.commands.output import write_json
from ledger.model.entries import DatasetVersion, EnvironmentFile, Evaluation, Note
from ledger.model.record import Record
from ledger.model.schema import json_schema

_KINDS = {
    "record": Record,
    "dataset": DatasetVersion,
    "evaluation": Evaluation,
    "note": Note,
    "environment": EnvironmentFile,
}


@click.command("schema")
@click.argument("document", type=click.Choice(list(_KINDS)), default="record")
def schema_command(document: str) -> None:
    """Print the JSON Schema of DOCUMENT, each field with its description.

    Example: ledger schema record > record.schema.json
    """
    write_json(json_schema(_KINDS[document]))
