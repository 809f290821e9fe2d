"""How a mapping runs: interpreted as Segment's reference does it, and compiled to Python source.

`interpret` is the yardstick, `codegen` writes the fast form, `segment_validate` refuses what Segment
refuses, `options` describes what a directive takes. It imports nothing else of `mapping`, no directive
either. A new kind of option is a shape in `options`, understood by `segment_validate` and by
`adapter.mapping.files`.
"""
