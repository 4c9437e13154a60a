"""The parts of `./run bench mirror`. Each has `measure(run)`, which returns its figures."""
