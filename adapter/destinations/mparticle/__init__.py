"""mParticle's Events API v2, where our events become custom events.

`batches` renders them, `destination` sends them in bulk, `answers` says what an answer means. It may import
`adapter.destinations.events`, the contract and the transport.
"""
