"""The core: the instance that decides.

`evaluate` decides operations that another program sends. May import the pipeline of messages.
"""
