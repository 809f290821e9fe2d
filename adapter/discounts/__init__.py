"""The lifecycle of a discount: issued, applied, redeemed, expired, revoked; pure functions.

`lifecycle` has the allowed moves and their effects, `unit_redemption` redeems units in parts, and `benefits`
shows each benefit of a code as a discount of its own. It imports the model only. A new move is a function in
`lifecycle` and a status in `adapter.model.discounts`.
"""
