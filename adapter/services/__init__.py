"""Services: one use case a file."""
