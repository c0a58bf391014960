"""Driving hours: how long without a rest."""
