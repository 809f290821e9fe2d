"""Types of actions, one a file: how a rule file writes it, what it is worth and costs, and its sentence.

`contract` says what a type states, `registry` lists the types. `members` has the keys that types share,
`action_block` reads a value that may be `computed`. It may import `blocks`, `expressions` and the model. A
new type is a struct in `adapter.model.actions`, a file here with an `ACTION_TYPE`, and its name in
`registry`.
"""
