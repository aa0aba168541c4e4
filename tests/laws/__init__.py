"""Laws: what must not change what is found, whatever the program.

``twins`` rewrites programs into others that mean the same; the tests hold the findings of both against each other.
"""
