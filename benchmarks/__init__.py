"""How fast rules, simulation and sweeps are, beside the public implementations: `byzcheck bench`.

Everything is a ratio of times of the same processes, measured turn by turn: times themselves change from machine to
machine, from day to day and with what else runs, ratios much less. (Only of sweeps it is also said how long a person
waits for them, in seconds; those are never compared.) The unit of independence is the
process: each of them lays out its memory anew, and what differs between them is what a person sees who measures twice.
"""
