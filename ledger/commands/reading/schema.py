"""`ledger schema`: the JSON Schema of every document."""

import click

from ledger.commands.output import write_json
from ledger.model.entries import (
    Case,
    DatasetVersion,
    EnvironmentFile,
    Evaluation,
    ManifestLine,
    Note,
    Redaction,
)
from ledger.model.hosts import HostDay
from ledger.model.record import Record
from ledger.model.schema import json_schema
from ledger.model.values import Document
from ledger.store.branch.policy import PolicyFile

KINDS: dict[str, type[Document]] = {
    "record": Record,
    "dataset": DatasetVersion,
    "evaluation": Evaluation,
    "note": Note,
    "case": Case,
    "host": HostDay,
    "redaction": Redaction,
    "environment": EnvironmentFile,
    "manifest-line": ManifestLine,
    "policy": PolicyFile,
}


@click.command("schema")
@click.argument("document", type=click.Choice(list(KINDS)), default="record")
def schema_command(document: str) -> None:
    """Print the JSON Schema of DOCUMENT, each field with its description; `record` when none is named.

    Example: ledger schema policy > policy.schema.json
    """
    write_json(json_schema(KINDS[document]))
