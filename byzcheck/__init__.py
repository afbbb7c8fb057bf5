"""The command line: `byzcheck verify`, `list`, `show`, `figures` and `audit`."""
