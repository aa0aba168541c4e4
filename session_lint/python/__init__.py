"""What Python itself says about a module: its dotted name, its scopes, and what a name in it stands for."""
