"""How the driver behaves, as the vehicle's terminal sees it."""
