"""What kerasviz costs, measured by hand: `python -m benchmarks`, from the repository's root."""
