"""Mapping: subscriptions, directives, operations."""
