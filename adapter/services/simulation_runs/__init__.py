"""Simulations that the server runs in a child process, one at a time for each store, with their results kept.

`service` starts, follows, cancels and deletes them, and `results` keeps reports without persons beside a few
examples of customers, which an erasure deletes.
"""
