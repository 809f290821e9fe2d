"""A customer's past, folded so that a question costs the same whatever its length.

`requirements` derives from the rules what must be kept, `history` and `time_buckets` keep it, `aggregates`
answers sums, averages and distinct counts. It may import `expressions`. A new aggregate is a function in
`aggregates` and a call in `adapter.rules.expressions.history_calls`.
"""
