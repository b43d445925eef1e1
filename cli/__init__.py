"""How people use it: the commands."""
