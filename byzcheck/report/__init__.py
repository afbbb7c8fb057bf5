"""The report: one HTML file with every statement, its proof, its figure and its evidence."""
