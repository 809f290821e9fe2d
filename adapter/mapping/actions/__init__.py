"""What a mapping can do: the actions, their fields, and the operations that they build.

`actions` is the table, `field_types` coerces mapped values, `builders` makes operations, `as_json` shows
them. It may import `engine.errors`. A new action is an entry of `actions` and a builder.
"""
