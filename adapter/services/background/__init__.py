"""Background work of the server: sweeps, timers, reload of files, metrics of the store.

Every task here is a `periodic` task that `app` starts and stops. A new one is a file with one such task and
one line in `app`.
"""
