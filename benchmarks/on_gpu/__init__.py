"""Tests, benchmarks and training on a CUDA device in one go of minutes, and one page of what came of it: `make gpu`.

It is for a machine that is at hand for a short time and where nothing can be installed. So what is missing is said
before anything runs, every stage is a process of its own with a limit, and the page is written whatever happens.
"""
