"""Destinations: where events about discounts are sent.

`contract` says what a destination does, `registry` lists the types, and each type has a module of its own:
`webhook`. `transport` is the guarded HTTP client that every type sends through. May import the model and the
settings. To add one: a module that builds a destination from its settings, and a line in `registry`; see
docs/architecture.md.
"""
