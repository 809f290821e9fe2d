"""Simulation: rules over recorded traffic on a simulated clock, with the code that decides live.

`traffic` reads what happened, `state` is a store in memory, `simulator` decides one rule book in the
traffic's order, and fires absences and expiries. `tally` counts, `comparison` sets two books side by side,
`report`, `page` and `plots` show it. May import the ingest pipeline; nothing is written.
"""
