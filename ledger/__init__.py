"""What is remembered: all SQL, nothing else (arrives with the ledger, see docs/decisions)."""
