"""The commands, one file each, with what they all say and print."""
