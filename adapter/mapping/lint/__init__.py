"""Findings across mapping files that load: conflicts, duplicates, wrong paths, names unknown to the model.

`outputs` says what a mapping writes; each `lint_…` file is one kind of finding, run by `lint`. It may
import `files`, `actions`, `engine` and `subscriptions`. A new finding is one file and one line in `lint`.
"""
