"""The store: one contract, an engine in each sub-package; SQL is seen nowhere else."""
