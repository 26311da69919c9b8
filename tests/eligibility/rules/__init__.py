"""Tests of the rule language: no database but an empty one in memory."""
