"""The ground the four rooms stand on, and the roof over them: database, money, dates, states, access, audit, jobs, web."""

__version__ = "0.1.0"
