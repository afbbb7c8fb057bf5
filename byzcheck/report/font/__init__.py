"""The mathematics font of the report, under its own licence (OFL.txt)."""
