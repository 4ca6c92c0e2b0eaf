"""The kinds of secrets that are known by shape: a table for each family, combined here.

Add a kind to its family, with an example and a look-alike in `tests/capture/secrets/examples.py`. The first rule
that matches names the kind, so exact rules come first.
"""

from ledger.capture.secrets.rules import clouds, code, services, texts, training

RULES = (*training.RULES, *code.RULES, *clouds.RULES, *services.RULES, *texts.RULES)
"""Every rule."""
