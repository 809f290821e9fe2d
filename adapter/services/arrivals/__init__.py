"""What arrived, out of the journal: searched backwards, followed as it is written, and explained.

`filter_text` reads what people write in a filter, `filters` applies it. `search` reads backwards and bounded,
`following` forwards, and `feed` for all who watch one process. `journey` says of one message what became of
it and why, `recomputed` what the files in force make of the customer's messages. May import dry runs and
simulations; nothing is written.
"""
