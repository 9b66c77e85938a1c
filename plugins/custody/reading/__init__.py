"""What the commands read from and write to: buckets, copies of them on disk, cases and key files.

Not here: rules (`custody.core`), and what a command prints (`custody.cli.commands`).
"""
