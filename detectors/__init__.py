"""What is unlawful: pure functions over columns and state."""
