"""
The local AWS: ministack, made to answer as AWS does where a sign-in can tell the difference.

This package runs under ministack's own interpreter (its pins clash with ours), so it imports the standard library and
ministack, and nothing of Countersign. Its parts wrap functions of ministack 1.5.33; each says what AWS does and what
the emulator does without it.
"""
