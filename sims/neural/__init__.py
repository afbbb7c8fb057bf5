"""Neural networks as oracles of stochastic gradients; `data` needs no torch, everything else here does."""
