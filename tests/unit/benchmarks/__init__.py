"""The parts of the benchmarks that need nothing else running."""
