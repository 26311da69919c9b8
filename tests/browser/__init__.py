"""The demo in a real Chromium."""
