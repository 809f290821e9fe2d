"""The same service as a good engineer would write it in a week, with the usual frameworks.

Each peer takes Segment's track calls, drops duplicates, keeps customers and events, evaluates the three rules
of `rules.json` with a rule library, counts per customer and per day, and answers after the commit.
"""
