"""What is told to whom (arrives with the ledger's outbox)."""
