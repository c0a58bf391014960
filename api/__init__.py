"""The roof: command line, and later HTTP and screens."""
