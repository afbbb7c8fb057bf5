"""The command line: `byzcheck verify`, `list`, `show`, `figures`, `audit` and `bench`."""
