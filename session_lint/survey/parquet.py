"""The results of a survey as Parquet, a file a table, for whoever reads them with pandas, DuckDB or Spark."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from session_lint.errors import UserError
from session_lint.writing import overwrite

try:
    import pyarrow as pa
    from pyarrow import parquet
except ImportError:
    raise UserError("results in Parquet need pyarrow: pip install 'session-lint[parquet]'") from None

if TYPE_CHECKING:
    from pathlib import Path

    from session_lint.survey.results import Results

SUFFIX = ".parquet"
AT_ONCE = 50_000  # rows
COLUMNS = {
    "findings": {
        **dict.fromkeys(("project", "path"), "string"),
        "number": "int32",
        **dict.fromkeys(("code", "name", "severity", "message"), "string"),
        **dict.fromkeys(("cell", "row", "column"), "int32"),
        **dict.fromkeys(("symbol", "url", "finding"), "string"),
    },
    "files": {"path": "string", "project": "string", "lines": "int64", "findings": "int32", "analysed": "bool_"},
    "projects": {
        "project": "string",
        **dict.fromkeys(("files", "lines", "findings", "unanalysed"), "int64"),
        "complete": "bool_",
        "failure": "string",
    },
}


def write(results: Results, file: Path) -> list[Path]:
    """Write the findings to a file, and the projects and files beside it.

    :returns: the files that were written.
    :raises WriteError: where one cannot be.
    """
    written = []
    for table in COLUMNS:
        target = file if table == "findings" else file.with_suffix(f".{table}{SUFFIX}")
        overwrite(target, _bytes(results, table))
        written.append(target)
    return written


def _bytes(results: Results, table: str) -> bytes:
    schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in COLUMNS[table].items()])
    sink = pa.BufferOutputStream()
    names, rows = results.table(table)
    with parquet.ParquetWriter(sink, schema) as writer:
        while part := list(islice(rows, AT_ONCE)):
            columns = dict(zip(names, zip(*part, strict=True), strict=True))
            arrays = [pa.array(columns[field.name]).cast(field.type) for field in schema]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
    return bytes(sink.getvalue())
