"""Kernels for messages on a CUDA device, CUDA C++ that CuPy compiles; under the names of their peers in `cpu`."""
