"""Tests mirror the packages; this file makes `tests` ours and not some installed package."""
