"""What an operator can set: adapter.toml, the environment, the command line."""
