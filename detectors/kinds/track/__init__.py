"""Kinds about the track itself: silence, gaps, drift, records that are none, signs of tampering."""
