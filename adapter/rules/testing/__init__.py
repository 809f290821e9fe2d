"""Test cases beside the rules: read, checked for slips, run, and what they leave untried.

It may import every package of `rules`; none imports it. A new key of a case is read in `cases` and
described in `schema`.
"""
