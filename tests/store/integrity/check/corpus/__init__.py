"""Hostile proposals. Others are welcome: a function, its rule, and it is tested."""

from tests.store.integrity.check.corpus import branch, claims, contents, documents, files, policy, texts
from tests.store.integrity.check.corpus.register import CORPUS, Hostile

__all__ = ["CORPUS", "Hostile", "branch", "claims", "contents", "documents", "files", "policy", "texts"]
