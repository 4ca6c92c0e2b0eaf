"""Fixtures of the tests of data servers."""

from tests.serve.servers import arrays, pictures, serve

__all__ = ["arrays", "pictures", "serve"]
