"""Files that people write: YAML with positions, and the problems found in it."""
