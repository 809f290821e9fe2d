"""Test cases beside the mappings: read, run, updated, and what they leave untried.

It may import every package of `mapping`; none imports it. A new key of a case is read in `case_files`.
"""
