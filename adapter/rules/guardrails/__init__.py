"""What may keep a rule from issuing: checks without a counter, counters, segments, rollout, value.

`checks` look at the event alone, `counters` are reserved in the transaction that issues, `valuation` says
what a discount costs at most. It may import `action_types`, `expressions` and the model, no clock and no
store. A new guardrail is a field of `adapter.model.rules.Guardrails` with a check or a counter here.
"""
