"""Files of rows, pure: bytes to records, headers to targets, records to operations, and values to CSV.

May import `datamodel`, `model` and `errors`. No module opens a file: callers give chunks of bytes.
"""
