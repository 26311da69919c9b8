"""Tests of who may receive what."""
