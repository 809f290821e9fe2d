"""Reads the blocks of rule files key by key; each problem has its place and its remedy.

`block` is the reader, `money` reads currencies and refuses amounts finer than their currency, `schema` has
the JSON Schemas of single values. It may import `expressions`. A new kind of value is a method of `Block`
and a schema beside it.
"""
