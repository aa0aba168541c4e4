"""The server of editors: the Language Server Protocol over standard input and output.

:mod:`session_lint.lsp.server` speaks the protocol on the event loop and answers at once; on one thread beside it,
:mod:`session_lint.lsp.analyst` analyses. After a change it looks first at what has changed
(:mod:`session_lint.lsp.focus`), and, once nobody types, at everything, as a fresh start would: what is shown then is
what ``session-lint check`` says.
"""
