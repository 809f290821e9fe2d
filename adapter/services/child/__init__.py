"""Heavy reads in a child process of low priority, so that live traffic goes on beside them.

`requests` says what can be asked, `main` is the child's program, and `process` starts, follows and ends it.
The child reads the store as `adapter simulate` does: beside its server, without a lock, and never writes.
"""
