"""The engine: rules, attacks, problems, optimizers, the batched loop and the tools that checks are made of.

`sims` knows nothing of the paper's statements; `theory` computes step sizes, momenta and radii and passes them in.
"""
