"""Kinds about service as it was promised: stations, stops, timetables."""
