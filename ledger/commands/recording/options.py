"""The options that `ledger record` and `ledger run` share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec

from ledger.model.values import DEFAULT_EXPERIMENT
from ledger.recorder.record.options import Given

F = TypeVar("F", bound=Callable[..., Any])  # click's own signature for decorators

_FILE = click.Path(dir_okay=False)


def run_options(command: F) -> F:
    """Add the shared options; `given_of` turns them into one value."""
    options = [
        click.option(
            "-e",
            "--experiment",
            default=DEFAULT_EXPERIMENT,
            show_default=True,
            help="Group of runs that it belongs to.",
        ),
        click.option("--params", "params_files", multiple=True, type=_FILE, help="Params file: YAML, JSON or TOML."),
        click.option("-p", "--param", "params", multiple=True, metavar="NAME=VALUE", help="One param."),
        click.option("--metrics", "metrics_files", multiple=True, type=_FILE, help="Metrics file: JSON, YAML, TOML."),
        click.option("-m", "--metric", "metrics", multiple=True, metavar="SPLIT/NAME=VALUE", help="One metric."),
        click.option(
            "--direction",
            "directions",
            multiple=True,
            metavar="SPLIT/NAME=higher|lower",
            help="Which values of a metric are better, where its name does not say.",
        ),
        click.option("--headline", metavar="SPLIT/NAME", help="Metric that represents the run."),
        click.option(
            "-d",
            "--dataset",
            "datasets",
            multiple=True,
            metavar="ROLE[:NAME@VERSION]=PATH",
            help="Dataset used: role train, validation, test or production.",
        ),
        click.option("--curves", multiple=True, type=click.Path(), help="Curves: CSV, JSON lines, TensorBoard."),
        click.option(
            "--figure", "figures", multiple=True, metavar="[TITLE=]FILE", help="Picture to store: PNG or SVG."
        ),
        click.option(
            "--table",
            "tables",
            multiple=True,
            metavar="[[KIND:]SPLIT/METRIC|NAME=]FILE",
            help="Table to store, CSV: confusion, classes, slices, calibration, samples, or any table.",
        ),
        click.option("--log", type=_FILE, help="Training log."),
        click.option("--model", type=click.Path(), help="Trained model: file or folder."),
        click.option("-t", "--tag", "tags", multiple=True, help="Word to find the run by."),
        click.option("-n", "--note", help="Comment."),
        click.option("--seed", type=int, help="Random seed. Default: the param `seed`."),
        click.option("--parent", metavar="RUN", help="Run that this one continues."),
        click.option("--baseline", metavar="RUN", help="Run to compare with."),
        click.option("--link", "links", multiple=True, metavar="URL", help="Paper, ticket, discussion."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def given_of(options: dict[str, Any]) -> Given:
    """Return the shared options as one value; `Any`, because click passes them by name."""
    return msgspec.convert({name: value for name, value in options.items() if value is not None}, Given)
