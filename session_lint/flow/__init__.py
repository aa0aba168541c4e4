"""Control flow: the graph of one function or module body, its builder, and a solver over it."""

from session_lint.flow.builder import build
from session_lint.flow.graph import Block, Code, Edge, EdgeKind, Graph, Point, PointKind
from session_lint.flow.solver import Problem, Solution, SolverLimit, solve

__all__ = ["Block", "Code", "Edge", "EdgeKind", "Graph", "Point", "PointKind", "Problem", "Solution", "SolverLimit", "build", "solve"]
