"""Cases: files by which an outsider checks an object version offline, and the keys he trusts.

Not here: gathering what goes into a case, and reading or writing its archive
(`custody.reading`).
"""
