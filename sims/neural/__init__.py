"""Neural networks as oracles of stochastic gradients, one flat vector of parameters each; what imports this needs torch."""
