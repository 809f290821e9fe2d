"""The life of a discount: issued, applied, redeemed, expired, revoked; pure functions.

`lifecycle` says which move is allowed and what it changes, `unit_redemption` spends units in parts. It
imports the model only. A new move is a function in `lifecycle` and a status in `adapter.model.discounts`.
"""
