"""TimescaleDB without an installation: fetched, started and stopped by `python -m deploy.timescale`."""
