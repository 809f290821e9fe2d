"""The data model of a shop (`mappings/model.yaml`): the traits and events that it sends, and their types.

Mappings and rules are checked against it, and values are coerced to it when an operation is created.
"""
