"""The playground: drafts of mapping and rule files, tried on a payload before they are in force.

`drafts` finds the files, `checking` says what is wrong with a draft, `payloads` finds what to try it on,
`trying` runs it by a dry run and compares it with the files in force, and `writing` puts a draft, or a test
case, in its file. Nothing is decided here: dry runs decide.
"""
