"""The Merkle tree over the log: hashes, proofs, tiles, signed checkpoints. Pure: bytes in, bytes out."""
