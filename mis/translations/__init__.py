"""What the pages say in French and Arabic, and how its sentences are found (see README.md here)."""
