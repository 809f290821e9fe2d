"""The data model of a shop (`mappings/model.yaml`): what it shares of customers and events, and as what.

Mappings and rules are checked against it, and values are fitted to it when an operation is made.
"""
