"""What the server of the endurance test serves."""
