"""Neural networks as oracles of stochastic gradients, one flat vector each; importing this package needs torch."""
