"""Grievances: when it goes wrong, somebody listens, decides in time, and the remedy acts."""
