"""The engine for many processes: one database, a few committing connections in each process."""
