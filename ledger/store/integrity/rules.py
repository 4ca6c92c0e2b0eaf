"""The rules for what enters a ledger and remains on it, by the names that findings have.

`ledger check`, a review, a server's hook, `ledger sync` and `ledger verify` apply the same rules. The rules on claims
within a document are in `model/claims/rules.py`, those on paths in `path_rules.py`.
"""

from ledger.model.values import Document


class FindingRule(Document, frozen=True, kw_only=True):
    """One rule."""

    says: str
    """The demand of the rule, in one line."""
    arriving: bool = False
    """Whether it applies only to new entries, by the policy of that time, and not again to existing ones."""


RULES: dict[str, FindingRule] = {
    "history": FindingRule(says="The branch only grows, from one beginning."),
    "tree": FindingRule(says="Only regular files, at the paths of entries."),
    "size": FindingRule(says="Files and entries within the limits of the policy.", arriving=True),
    "document": FindingRule(says="Documents are what their format asks for, to the byte."),
    "claim": FindingRule(says="What a document says does not contradict itself, nor the version that it names."),
    "content": FindingRule(says="Files are what their record says."),
    "reference": FindingRule(says="What is referred to is there."),
    "text": FindingRule(says="Texts cannot control a terminal or read as something else."),
    "secret": FindingRule(says="No secrets.", arriving=True),
    "policy": FindingRule(says="What the policy asks for.", arriving=True),
    "signature": FindingRule(says="Signed where the policy asks for it."),
    "redaction": FindingRule(says="What a redaction took out is all that it changed, and somebody vouches for it."),
    "checkpoint": FindingRule(says="History still holds every checkpoint."),
    "index": FindingRule(says="What is listed and ranked by is what git has."),
    "plausible": FindingRule(says="What is stated can be so."),
}
"""Every rule, in the order of the handbook."""
