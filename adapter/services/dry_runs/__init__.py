"""Dry runs: messages through the whole corridor, decided in a transaction that is rolled back.

`service` takes a request, `rehearsal` decides and undoes, `report` says what came of it, `drafts` reads files
that are not in force. Nothing is stored, pushed or counted. May import the core and the ingest pipeline.
"""
