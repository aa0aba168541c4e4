"""Many projects at once, on a cluster.

:mod:`~session_lint.survey.projects` finds the projects below what was named; :mod:`~session_lint.survey.plans` says
what there is to do for one, in pieces; :mod:`~session_lint.survey.work` is what a worker does with a piece.
:mod:`~session_lint.survey.running` hands the pieces to any :class:`concurrent.futures.Executor` and puts the answers
into :mod:`~session_lint.survey.results`, from where a later run goes on. :mod:`~session_lint.survey.cluster` has the
executor that Dask gives.
"""
