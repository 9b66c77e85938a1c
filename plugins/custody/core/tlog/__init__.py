"""A transparency log by the C2SP specifications: Merkle tree, tiles, checkpoints, signed notes,
proofs.

Knows nothing of custody: what is put into the log, and where it is kept, is in `seal`.
"""
