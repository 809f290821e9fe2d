"""Mapping files: read, checked, with every problem at its place and with its remedy; their JSON Schema.

It may import `actions`, `directives`, `engine` and `subscriptions`. A new key of a mapping is read in
`mapping_file` and described in `schema`.
"""
