"""Tests of the architecture itself: promises about all of the code, whoever wrote it and whenever it came."""
