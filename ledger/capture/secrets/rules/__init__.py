"""The kinds of secrets that are known by their looks: a table for each family, all of them together here.

Add a kind where it belongs, with its example and its look-alike in `tests/capture/secrets/examples.py`. The first rule
that matches names the kind, so that what is more exact stands first.
"""

from ledger.capture.secrets.rules import clouds, code, services, texts, training

RULES = (*training.RULES, *code.RULES, *clouds.RULES, *services.RULES, *texts.RULES)
"""Every rule."""
