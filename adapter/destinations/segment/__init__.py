"""Segment's Tracking API, where our events become track calls.

`calls` renders them, `destination` sends them in batches, `answers` says what an answer means. It may import
`adapter.destinations.events`, the contract and the transport.
"""
