"""What happens now: the pipeline of the last hour and day, its speed, and what stands in its way.

`pipeline` makes figures of the recorded activity, pure. `service` reads them, and what is wrong. Nothing is
written.
"""
