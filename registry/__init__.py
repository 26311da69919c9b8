"""The registry: areas, households and persons as they are, and how they get in."""
