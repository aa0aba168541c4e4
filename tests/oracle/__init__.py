"""The oracle: small programs over a session, executed, against what SES101 and SES102 say of them.

``program`` says what a program is and how it reads; ``small`` enumerates them all up to a size and
``wild`` draws bigger ones; ``schedule`` decides what happens in one run; ``doubles`` are the session
and the calls that a program meets; ``judge`` runs a program through everything that may happen and
says what its sessions came to.
"""
