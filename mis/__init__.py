"""The ground the four rooms stand on, and the roof over them."""

__version__ = "0.1.0"
