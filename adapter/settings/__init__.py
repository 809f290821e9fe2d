"""The settings: adapter.toml, the environment, the command line."""
