"""What the vehicle's terminal tells of itself, and of who moves the vehicle."""
