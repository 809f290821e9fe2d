"""Who may visit the console: accounts, sessions, forged forms, and the rate of sign-ins.

`accounts` has the tokens that may sign in, `sessions` exchanges them for cookies, `forgery` refuses posts of
other pages, `attempts` limits wrong tokens. May import the store's contract and the web's authentication.
"""
