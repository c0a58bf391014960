"""Tests of the synthetic fleet."""
