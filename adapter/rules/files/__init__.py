"""Rule files: read, checked, with every problem at its place and with its remedy.

One file for each block of a rule (`action_block`, `guardrail_block`) and for keys that belong together
(`code_keys`, `checkout_keys`), the JSON Schema, and lint that finds rules which can never issue. It may
import `guardrails`, `action_types`, `blocks`, `history`, `index` and `expressions`. A new key of a rule is
read in the file of its block and described in `schema`; keys of actions and guardrails come from their
records.
"""
