"""The demo: its database, its processes, its people and their work."""
