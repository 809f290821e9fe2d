"""The embedded engine: one file, one writing process, one writer thread."""
