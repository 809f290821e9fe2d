"""Processes and transport: uvicorn's protocol with a short way for hot calls, workers, their metrics.

`serve` starts one process or several, `supervisor` restarts them, `http_protocol` reads requests. It may
import `app` and `web`; nothing imports it but the command line.
"""
