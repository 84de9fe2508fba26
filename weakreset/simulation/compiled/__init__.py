"""The update of `weakreset.simulation.kernels` once more, compiled by numba: same numbers, same order, same bits."""
