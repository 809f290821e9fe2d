"""What the console shows of rules: a list by pages, and one rule in full.

`listing` makes rows, `one` a rule's page, `counted` reads the latest decisions of a rule, `caps` the limits
of the whole shop, and `measured` keeps what is too heavy for a page: figures and lift, read by a child.
"""
