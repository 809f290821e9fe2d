"""The settings of destinations: one module a type, with the checks of its settings.

`base` has the settings that every type has, and `registry` lists the types. To add one: a module with a
struct and its `Problems`, and a line in `registry`.
"""
