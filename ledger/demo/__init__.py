"""The demo: a small team with a ledger, played with real models on real data."""
