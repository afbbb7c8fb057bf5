"""How other libraries call what is here, and what is theirs as parts here.

`byzfl_api` has ByzFL's names, arguments and results; `audited` makes rules of what ByzFL, krum and Flower have, and
`flat` messages (n, d) of a model's gradients or state dicts.
"""
