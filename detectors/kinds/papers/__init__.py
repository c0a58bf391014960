"""Papers: vehicles and staff without the papers that their work needs."""
