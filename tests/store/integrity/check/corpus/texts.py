"""Texts that would control a terminal or a page, and secrets in every field."""

from typing import Any

from tests.store.integrity.check.corpus.register import each, edit, hostile, with_figure
from tests.store.integrity.check.forge import Forge

TOKEN = "ghp_" + "a1B2" * 10

each(
    "text",
    "control or invisible characters",
    {
        "an escape in the name of an experiment": edit(lambda record: record.update(experiment="a\x1b[2Jb")),
        "a turned tag": edit(lambda record: record.update(tags=["\u202egood"])),
        "two lines in the name of a metric": edit(lambda record: record["results"]["metrics"][0].update(name="a\nb")),
    },
)
each(
    "text",
    "control or invisible characters",
    {
        "an escape in a note": edit(lambda record: record.update(note="\x1b]0;owned\x07")),
        "an escape in a command": edit(lambda record: record.update(command=["\x1b[31m"])),
        "an escape in a host": edit(lambda record: record["hardware"].update(host="a\x9bb")),
        "an escape in the name of a param": edit(lambda record: record["params"].update(values={"a\x1b": 1})),
        "turned text in a reason": edit(lambda record: record.update(reason="\u202etxet")),
    },
    weight="warning",
)
MARKUP = "<script>alert(1)</script>![x](javascript:alert(1)){{7*7}}${7*7}%0A::error::x"


def _marked(value: Any) -> Any:
    """Put markup into every text of a document that may hold any."""
    if isinstance(value, dict):
        kept = {"id", "status", "file", "hash", "direction", "role", "format", "started_at", "ended_at", "recorded_at"}
        kept |= {"commit", "tree", "currency", "version", "dataset", "dataset_hash"}
        return {name: item if name in kept else _marked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_marked(item) for item in value]
    return MARKUP if isinstance(value, str) else value


@hostile(None)
def markup_in_every_field(forge: Forge) -> str:
    def mark(record: dict[str, Any]) -> None:
        names = [use.get("name") for use in record["datasets"]["used"]]
        record |= _marked(record)
        for use, name in zip(record["datasets"]["used"], names, strict=True):
            use["name"] = name  # of which a path is made
        record["results"].pop("headline", None)

    return forge.put(forge.run(mark))


each(
    "secret",
    "github-token",
    {
        "a secret in a note": edit(lambda record: record.update(note=TOKEN)),
        "a secret in a reason": edit(lambda record: record.update(reason=f"failed with {TOKEN}")),
        "a secret in a tag": edit(lambda record: record.update(tags=[TOKEN])),
        "a secret in the name of an experiment": edit(lambda record: record.update(experiment=TOKEN)),
        "a secret in the name of a param": edit(lambda record: record["params"].update(values={TOKEN: 1})),
        "a secret in a param": edit(lambda record: record["params"].update(values={"x": TOKEN})),
        "a secret in a branch": edit(lambda record: record["code"].update(branch=TOKEN)),
        "a secret in a link": edit(lambda record: record.update(links=[{"url": f"https://x.y/?t={TOKEN}"}])),
        "a secret in the path of a dataset": edit(lambda record: record["datasets"]["used"][0].update(path=TOKEN)),
        "a secret in the name of a metric": edit(lambda record: record["results"]["metrics"][0].update(name=TOKEN)),
        "a secret in a warning of the log": edit(lambda record: record["logs"].update(warnings={TOKEN: 1})),
        "a secret in a reason why something is unknown": edit(
            lambda record: record["cost"].update(unknown={"all": TOKEN})
        ),
        "a secret in an author": edit(lambda record: record["author"].update(name=TOKEN)),
        "a secret in a log": lambda forge: forge.put(forge.run(log_dot_txt=f"x\n{TOKEN}\n".encode())),
        "a secret in a patch": lambda forge: forge.put(forge.run(code_dot_patch=f"+x = '{TOKEN}'\n".encode())),
        "a secret in a curve": lambda forge: forge.put(forge.run(curves_dot_csv=f"step,{TOKEN}\n".encode())),
        "a secret in a table": lambda forge: forge.put(forge.run(tables__a_dot_csv=f"a\n{TOKEN}\n".encode())),
        "a secret in a picture": lambda forge: with_figure(forge, f"<svg>{TOKEN}</svg>".encode(), "figures/a.svg"),
        "a secret in a later note": lambda forge: forge.put(forge.note(lambda one: one.update(text=TOKEN))),
        "a secret in an evaluation": lambda forge: forge.put(forge.evaluation(lambda one: one.update(note=TOKEN))),
    },
)
each(
    "secret",
    "password",
    {
        "a password in a command": edit(lambda record: record.update(command=["train.py", "--password", "hunter22x"])),
        "a password in a param": edit(lambda record: record["params"].update(values={"db.password": "hunter22x"})),
    },
)
each(
    "secret",
    "url-credentials",
    {
        "a password in the address of a remote": edit(
            lambda record: record["code"].update(remote="https://u:hunter22x@x.y/z")
        ),
    },
)


@hostile("secret", "gitlab-token")
def a_secret_in_a_path(forge: Forge) -> str:
    return with_figure(forge, b"\x89PNG\r\n\x1a\n", "figures/glpat-abcdefghij0123456789.png")


@hostile("secret", "github-token")
def a_secret_that_is_taken_back(forge: Forge) -> str:
    run = forge.run(log_dot_txt=TOKEN.encode())
    return forge.put(dict.fromkeys(run), forge.put(run))
