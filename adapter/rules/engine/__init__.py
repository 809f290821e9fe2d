"""From an event to a decision: which rules fire, which of them may issue, and the discount that follows.

`ruleset` compiles all rule files, `evaluate` answers one event, `select` and `conflicts` choose, `issue`
makes the record; `sentences` and `deferred_reasons` explain. It may import every other package of `rules`
except `testing`. A new outcome of a rule needs a value in `adapter.model.decisions` and a sentence in
`sentences`.
"""
