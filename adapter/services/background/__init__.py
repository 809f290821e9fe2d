"""Work that repeats while the server runs: sweeps, timers, reload of files, figures of the store.

Every task here is a `periodic` task that `app` starts and stops. A new one is a file with one such task and
one line in `app`.
"""
