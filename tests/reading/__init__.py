"""A second, independent reading of the rulebook: plain Python, one fix at a time, no vectors."""
