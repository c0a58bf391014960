"""Measurements, kept so that every figure in the documents can be had again: ``make bench``."""
