"""Imports and dumps: files of rows into the store, and all that the store has into files.

reader       a file becomes records: CSV, JSON lines, Parquet, bodies of a source
rows         records become works, as messages do, or are refused with their place and reason
slices       works are committed with the position of the import, in one transaction
importer     slice by slice; goes on after a kill where the last commit was
uploads      imports over HTTP: received into the store, run by one process at a time
dump         customers, events, discounts, decisions and redemptions as rows
"""
