"""What the figures of the paper's experiments share: curves over rounds, and who is learned."""
