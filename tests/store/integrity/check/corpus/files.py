"""Files that are none of a ledger, and files that are too large."""

from tests.store.integrity.check.corpus.register import Make, each, hostile, record_of, with_figure
from tests.store.integrity.check.forge import REGULAR, Forge


def _stray(name: str) -> Make:
    return lambda forge: forge.put({name: b"touch canary\n"})


each(
    "tree",
    "git reserves this name",
    {
        f"the file {name}": _stray(name)
        for name in (
            ".gitattributes",
            ".gitmodules",
            "runs/.gitattributes",
            ".GIT/config",
            "git~1/config",
            ".git /config",
            ".github/workflows/x.yml",
            ".git/hooks/post-checkout",
        )
    },
)
each(
    "tree",
    "leads out of its folder",
    {f"the path {name}": _stray(name) for name in ("../canary", "runs/../../canary", "runs/./x", "notes/..json")},
)
each(
    "tree",
    "control characters",
    {
        f"the path {name!r}": _stray(name)
        for name in ("runs/a\nb", "runs/\x1b[2Jx", "runs/\x01x", "runs/\x7f", "format\t", "\r", "runs/\u0085")
    },
)
each(
    "tree",
    "or characters that reverse the text",
    {
        f"the path {name!a}": _stray(name)
        for name in ("runs/\u202egnp.x", "poli\u200bcy.yaml", "format\u2066", "\ufeffformat")
    },
)
each(
    "tree",
    "Windows would read it",
    {f"the path {name}": _stray(name) for name in ("runs\\x", "C:\\canary", "format:x")},
)
each(
    "tree",
    "on Windows",
    {f"the path {name}": _stray(name) for name in ("nul", "runs/aux.json", "COM1.txt", "format ", "format.")},
)
each(
    "tree",
    "not plain ASCII",
    {
        f"the path {name!a}": _stray(name)
        for name in ("runs/e\u0301.json", "runs/\u00e9.json", "\u212aey", "p\u043elicy.yaml")
    },
)
each("tree", "only by case", {f"the path {name}": _stray(name) for name in ("FORMAT", "Policy.yaml")})
each("tree", "too deep or too long", {"a deep path": _stray("a/" * 100 + "x"), "a long name": _stray("a" * 4000)})
each("tree", "not UTF-8", {"a path in Latin-1": _stray("runs/\udce9.json")})
each(
    "tree",
    "no entry has a path like this",
    {
        f"the path {name[:40]}": _stray(name)
        for name in (
            "README.md",
            "index.html",
            "conftest.py",
            "-rf",
            "$(touch canary)",
            "`touch canary`",
            "; touch canary",
            "| touch canary",
            "runs/2026/11/20/x/record.json",
            "hooks/pre-receive",
            "runs/x.json",
            "<script>alert(1)",
            "%0A::error::x",
            "datasets/digits/v2/canary.sh",
        )
    },
)


def _of_mode(mode: bytes, content: bytes) -> Make:
    def make(forge: Forge) -> str:
        run = forge.run()
        folder = next(iter(run)).rpartition("/")[0]
        return forge.put({**run, f"{folder}/log.txt": (mode, forge.blob(content))})

    return make


each(
    "tree",
    "not a regular file",
    {
        "a link to a file of the system": _of_mode(b"120000", b"/etc/passwd"),
        "a link out of the tree": _of_mode(b"120000", b"../../../../../../canary"),
        "an executable": _of_mode(b"100755", b"#!/bin/sh\ntouch canary\n"),
    },
)


@hostile("tree", "a submodule")
def a_submodule(forge: Forge) -> str:
    return forge.put({**forge.run(), "runs/module": (b"160000", forge.base)})


@hostile("tree", "the tree is malformed")
def a_name_with_slashes_in_it(forge: Forge) -> str:
    path = f"redactions/2026/11/20/{forge.new_id()}.json"
    entry = (path.encode(), REGULAR, forge.blob(b"{}\n"))
    return forge.commit(forge.raw_tree(sorted([*forge.top(), entry])), [forge.base])


@hostile("tree", "the tree is malformed")
def one_name_twice_in_a_tree(forge: Forge) -> str:
    name = f"{forge.new_id()}.json".encode()
    inner = forge.raw_tree([(name, REGULAR, forge.blob(data)) for data in (b"{}\n", b"[]\n")])
    for part in (b"20", b"11", b"2026"):
        inner = forge.raw_tree([(part, b"40000", inner)])
    return forge.commit(forge.raw_tree(sorted([*forge.top(), (b"redactions", b"40000", inner)])), [forge.base])


@hostile("tree", "stands for a device", weight="warning")
def a_figure_named_like_a_device(forge: Forge) -> str:
    return with_figure(forge, b"\x89PNG\r\n\x1a\n", "figures/con.png")


@hostile("size", "limits.record_bytes")
def a_record_of_nine_megabytes(forge: Forge) -> str:
    return forge.put(forge.run(lambda record: record.update(note="x" * 9_000_000)))


@hostile("size", "limits.figure_bytes")
def a_figure_of_three_megabytes(forge: Forge) -> str:
    return with_figure(forge, b"\x89PNG\r\n\x1a\n" + bytes(3 << 20), "figures/a.png")


@hostile("size", "limits.picture_bytes")
def a_large_picture_of_a_sample(forge: Forge) -> str:
    return forge.put({"datasets/digits/v2/pictures/a.png": bytes(1 << 20)})


@hostile("size", "a signature")
def a_large_signature(forge: Forge) -> str:
    return forge.put({f"{record_of(forge)}.{'0' * 16}.sig": bytes(1 << 16)})


@hostile("size", "limits.table_bytes")
def a_large_table(forge: Forge) -> str:
    return forge.put(forge.run(tables__a_dot_csv=b"a,b\n" * (1 << 19)))


def _mode(mode: bytes, *, old: bool = False) -> Make:
    """Return a proposal in which a file has a mode that git shows as another, at a path of a run."""

    def make(forge: Forge) -> str:
        run = forge.run()
        path = record_of(forge) if old else next(iter(run))
        parts = path.split("/")
        tip = forge.put(run)
        files = forge.files(tip)
        prefix = "/".join(parts[:-1]).encode() + b"/"
        inner = sorted(
            (name.removeprefix(prefix), mode if name.decode() == path else kept, oid)
            for name, (kept, oid) in files.items()
            if name.startswith(prefix)
        )
        made = forge.raw_tree(inner)
        for depth in range(len(parts) - 2, -1, -1):
            made = forge.replaced(tip, "/".join(parts[:depth]), parts[depth], made)
        return forge.commit(made, [forge.base])

    return make


each(
    "tree",
    "a file mode that git never writes",
    {
        "a record that its group may write": _mode(b"100664"),
        "a record that everybody may write": _mode(b"100666"),
        "a record with a sticky bit": _mode(b"101644"),
        "a mode with a zero before it": _mode(b"0100644"),
        "an old record that its group may write": _mode(b"100664", old=True),
    },
)


@hostile("tree", "the tree is malformed")
def names_out_of_order(forge: Forge) -> str:
    tip = forge.put(forge.run())
    entries = list(reversed(forge.top(tip)))
    return forge.commit(forge.raw_tree(entries), [forge.base])
