"""What arrives: bytes in, columns out."""
