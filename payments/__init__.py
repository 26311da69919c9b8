"""Payments: what is due, what is sent, what the provider answered, and how it all ties out."""
