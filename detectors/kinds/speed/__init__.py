"""Speeding: held above a limit."""
