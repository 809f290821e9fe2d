"""Segment: signatures and bodies of its webhooks, calls of its tracking API, as messages.

`webhook` verifies and decodes, `tracking_api` reads what SDKs send, `messages` is common to both. It may
import `adapter.sources.payloads` and the model.
"""
