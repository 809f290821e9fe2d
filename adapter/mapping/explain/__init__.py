"""Why a message became what it became: for `adapter map` and for the coverage of cases.

It may import every package of `mapping` except `testing`. A new explanation starts from
`adapter.mapping.tracing`, which records what was read.
"""
