"""YAML files with positions, and their problems."""
