"""A stack of CloudFormation: what it holds, what a change set would change, how a change goes and
what to do when it fails. Nothing here knows the platform's own stacks or their order."""
