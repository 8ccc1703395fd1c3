"""From a finding to a fix: what would be done, in which order, how it is undone, and whether it helped.

`table.REMEDIES` says which remedy there is for which finding; a builder (`builders/`) makes the actions of a plan from
what stands on the hosts now, by pure edits (`edits/`). `fixing` previews, applies, proves and rolls back. Only what
`connections.changing` allows can be done, and only as part of a plan that was confirmed by its digest.
"""
