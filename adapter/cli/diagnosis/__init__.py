"""The checks of `adapter doctor`, an area in each file.

A check is a function of what was read to findings. What reads (HTTP, the store, the disk) stands beside it,
so that checks are tested without a network. To add one: a function here, and a line in `examination`.
"""
