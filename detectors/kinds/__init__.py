"""The catalogue: one module a kind, in families."""
