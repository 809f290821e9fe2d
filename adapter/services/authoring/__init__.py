"""What authors of files run: test cases, their report, and the table of shared data.

It may import `mapping`, `rules` and `sources`; commands call it.
"""
