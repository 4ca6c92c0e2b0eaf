"""Fixtures of the tests of data servers."""

from tests.serve.servers import arrays, pictures, serve, serve_in

__all__ = ["arrays", "pictures", "serve", "serve_in"]
