"""The server of editors, driven by a client over standard input and output."""
