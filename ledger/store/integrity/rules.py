"""The rules by which something is let onto a ledger and stands there, by the names that findings have.

`ledger check`, a review, a server's hook, `ledger sync` and `ledger verify` ask the same rules. What documents claim by
themselves is taken apart further in `model/claims.py`, what paths may be in `path_rules.py`.
"""

from ledger.model.values import Document


class Rule(Document, frozen=True, kw_only=True):
    """One rule."""

    says: str
    """What holds, in a line."""
    arriving: bool = False
    """Whether it is asked only of what arrives, by the policy of then, and not again of what stands."""


RULES: dict[str, Rule] = {
    "history": Rule(says="The branch only grows, from one beginning."),
    "tree": Rule(says="Only regular files, at the paths of entries."),
    "size": Rule(says="Files and entries within the limits of the policy.", arriving=True),
    "document": Rule(says="Documents are what their format asks for, to the byte."),
    "claim": Rule(says="What a document says does not contradict itself, nor the version that it names."),
    "content": Rule(says="Files are what their record says."),
    "reference": Rule(says="What is referred to is there."),
    "text": Rule(says="Texts cannot control a terminal or read as something else."),
    "secret": Rule(says="No secrets.", arriving=True),
    "policy": Rule(says="What the policy asks for.", arriving=True),
    "signature": Rule(says="Signed where the policy asks for it."),
    "redaction": Rule(says="What a redaction took out is all that it changed, and somebody vouches for it."),
    "checkpoint": Rule(says="History still holds every checkpoint."),
    "index": Rule(says="What is listed and ranked by is what git has."),
    "plausible": Rule(says="What is stated can be so."),
}
"""Every rule, in the order of the handbook."""
