"""The page that hosts show for missing paths: shown at any depth, it cannot refer to files of the site.

It carries its own style and script, which its security policy admits by their hashes, and looks for the
site's start when it is shown: nobody has to say where the site will be put.
"""

from base64 import b64encode
from hashlib import sha256

from ledger.publish.pages.page import markup
from ledger.publish.site.templating import render
from ledger.resources import shipped


def render_not_found(title: str) -> bytes:
    """Return the page `404.html` of a site of that title."""
    style, script = (_source(name) for name in ("not_found.css", "not_found.js"))
    page = render(
        "not_found",
        title=title,
        style=markup(style),
        style_hash=_policy_hash(style),
        script=markup(script),
        script_hash=_policy_hash(script),
    )
    return page.encode()


def _source(name: str) -> str:
    return (shipped("templates") / name).read_text("utf-8")


def _policy_hash(source: str) -> str:
    """Return a source as a policy admits it (Content Security Policy Level 3, section 2.3.1)."""
    return f"sha256-{b64encode(sha256(source.encode()).digest()).decode()}"
