"""Tests of the control-flow graph: golden graphs, laws, and the interpreter as the judge."""
