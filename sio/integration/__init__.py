"""What ties the two protocols to Django: its settings, users, sessions, databases, and the end of its processes."""
