"""What support staff ask about one customer: who is meant, what happened, and why a rule gave nothing.

It reads the store by the verbs of its contract, a bounded number of rows at a time, and changes nothing.
"""
