"""Places: where a vehicle may not be."""
