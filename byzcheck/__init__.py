"""The program: running checks and recording what came of them, and the commands over that."""
