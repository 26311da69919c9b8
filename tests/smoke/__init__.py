"""What can only be seen from outside, on the finished thing."""
