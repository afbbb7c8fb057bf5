"""How fast the rules and the simulation are, beside the public implementations: `byzcheck bench`.

Everything is a ratio of times of the same processes, measured turn by turn: times themselves change from machine to
machine, from day to day and with what else runs, ratios much less. The unit of independence is the process: each of
them lays out its memory anew, and what differs between them is what a person sees who measures twice.
"""
