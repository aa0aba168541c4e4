"""Control flow: the graph of one function or module body, its builder, and a solver over it.

A *graph* is made of *blocks*; a block holds *points*, steps of evaluation that run one after the other; *edges* say
where control goes at its end, and why. A point that may raise ends its block. This function ::

    def total(path):
        file = open(path)
        try:
            return file.sum()
        finally:
            file.close()

has this graph, as :func:`render` prints it (block 0 is the entry) ::

    0:
      statement file = open(path)
      call open(path)
      raise -> raised
      next -> 2
    2:
      store file <- open(path)
      statement try
      statement return file.sum()
      call file.sum()
      raise -> 3
      next -> 4
    3:
      catch try -> 5
    4:
      return return file.sum() <- file.sum()
      next -> 6
    5 depth 1:
      statement file.close()
      call file.close()
      raise -> raised
      next -> 7
    6:
      statement file.close()
      call file.close()
      raise -> raised
      next -> exit
    7 depth 1:
      reraise try
      raise -> raised

The ``finally`` body is there twice: once on the way of the ``return`` (6), once on the way of an exception (5), which
goes on at its end. An analysis is a :class:`Problem`; :func:`solve` finds the facts that may hold at the start of each
block. A point has two effects, ``transfer`` where it completes and ``transfer_raise`` where it does not, because an
acquisition that raises acquired nothing.

What may raise, and which test decides what, is the problem's to say: the graph knows Python and nothing else.

Not modelled:

* Exceptions of anything that is no point: attribute loads, subscripts, operators, names, imports, unpacking. Only
  where the body of a ``try`` holds such a thing and not even a call, a ``LOOKUP`` point leads to its handlers.
* ``KeyboardInterrupt`` and whatever else arrives between two points.
* The bodies of nested functions, lambdas and generator expressions: each has a graph of its own, or none.
* Annotations, type aliases and the type expressions of ``except`` clauses, which are not evaluated.
* The end of ``a < f() < g()`` before its last operand: all of them are evaluated.
* A call in ``raise Error(…)``: it is part of the raising, and has no point of its own.
* The calls hidden in decorators, operators, ``del``, f-string formats and descriptors.
* The end of the life of ``e`` after ``except E as e``.
* Generators that are never resumed, and the exception that ends them then.
* ``except*`` that runs several of its clauses: it is built like ``except``.
"""

from session_lint.flow.builder import build
from session_lint.flow.graph import RAISING, Block, Code, Edge, EdgeKind, Graph, Point, PointKind
from session_lint.flow.render import render
from session_lint.flow.solver import Problem, Solution, SolverLimit, solve, taken

__all__ = [
    "RAISING",
    "Block",
    "Code",
    "Edge",
    "EdgeKind",
    "Graph",
    "Point",
    "PointKind",
    "Problem",
    "Solution",
    "SolverLimit",
    "build",
    "render",
    "solve",
    "taken",
]
