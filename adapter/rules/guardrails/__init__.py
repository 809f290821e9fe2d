"""Guardrails, one a file: how a rule file writes it, what it checks or counts, its reasons and its lint.

`contract` says what a guardrail states, `registry` lists the files. `checks` and `counters` make of the
records what a rule is asked at each event and what it reserves; `window_slots`, `pause` and `periods` are
ways to count; `rollout`, `validity` and `valuation` are beside the `guardrails` block. It may import
`action_types`, `blocks`, `expressions` and the model, no clock and no store. A new guardrail is a file here
with a `GUARDRAIL`, and its name in `registry`.
"""
