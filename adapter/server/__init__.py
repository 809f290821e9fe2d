"""Processes and transport: uvicorn's protocol with a fast path for ingest, workers, their metrics.

`serve` starts one process or several, `supervisor` restarts them, `http_protocol` reads requests. It may
import `app` and `web`; nothing imports it but the command line.
"""
