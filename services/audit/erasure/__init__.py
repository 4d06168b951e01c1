"""Erasure: a person's keys are destroyed, everything that proves the log stays. And legal holds, which forbid it."""
