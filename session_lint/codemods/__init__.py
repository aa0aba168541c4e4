"""The fixes as commands of libcst's own runner.

``python -m libcst.tool codemod --no-format -x session_lint.codemods.manual_to_scope.ManualToScopeCommand PATH``
"""
