"""Templates: what ministack's CloudFormation leaves out, and whether a stack is what they say.

`provisioners` adds and completes resource types, `bucketproperties` is what it knows of a bucket.
`readback` compares a deployed stack, told by `stackrecords`, with its templates, through the
`readers` of each type.
"""
