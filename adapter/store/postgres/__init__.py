"""The engine for many processes: one database, a committing connection in each process."""
