//! A real local control plane for tests, the demo and benchmarks.
