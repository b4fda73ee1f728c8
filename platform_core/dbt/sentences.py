"""What dbt and DuckDB say, as one sentence with the file and the line in it."""

import re
from pathlib import Path

_FILE = re.compile(r"\(([\w./ -]+\.(?:sql|ya?ml|csv))\)")
_STATED = re.compile(r"\bline (\d+)\b")
_OF_DUCKDB = re.compile(r"\s*LINE \d+: *(?P<text>[^\n]*)(?:\n\s*\^+)?")
_CALLED_BY = re.compile(r"\n\s*> (?:in macro|called by) [^\n]*")  # a way through macros of ours
_CYCLE = re.compile(r"Found a cycle: (?P<nodes>\w+\.\S+(?: --> \S+)*)")


def of_project(message: str, project: Path) -> str:
    """Why a project does not parse."""
    if cycle := _CYCLE.search(message):
        names = [node.rpartition(".")[2] for node in cycle["nodes"].split(" --> ")]
        places = [_reading(project, name, names) for name in names]
        return f"its models read each other in a circle: {' -> '.join([*places, names[0]])}."
    message = message.rpartition("Encountered an error: ")[2]
    file = _FILE.search(message)
    if file is None:
        return message
    line = _STATED.search(message)
    number = int(line[1]) if line else _mentioning(project / file[1], re.findall(r"named '([^']+)'", message))
    return message.replace(file[0], f"({_at(file[1], number)})")


def _reading(project: Path, name: str, names: list[str]) -> str:
    """A model of a circle, with where it reads the others."""
    found = next(iter(project.glob(f"models/**/{name}.sql")), None)
    if found is None:
        return name
    return f"{name} ({_at(str(found.relative_to(project)), _mentioning(found, [f'ref:{other}' for other in names]))})"


def _mentioning(file: Path, names: list[str]) -> int | None:
    """The first line with one of the names, such as `shop.orders` of a source, in quotes as dbt wants them."""
    wanted = [re.compile(rf"['\"]{re.escape(re.split('[.:]', name)[-1])}['\"]") for name in names]
    lines = file.read_text().splitlines() if file.is_file() else []
    return next((number for number, text in enumerate(lines, 1) if any(each.search(text) for each in wanted)), None)


def of_node(name: str, file: str, sql: str, message: str) -> str:
    """Why a node failed.

    Args:
        sql: as written, in which the line is looked for: DuckDB counts in the compiled one.
    """
    heading, _, reason = _CALLED_BY.sub("", message).strip().partition("\n")
    reason = reason or heading
    line = _line(sql, reason)
    short = _OF_DUCKDB.sub("", reason)
    return f"{name} ({_at(file, line)}): {' '.join(short.split()).rstrip('.')}"


def _line(sql: str, reason: str) -> int | None:
    lines = sql.splitlines()
    if shown := _OF_DUCKDB.search(reason):
        wanted = shown["text"].strip().strip(".").strip()
        return next((number for number, text in enumerate(lines, 1) if wanted and wanted in text), None)
    if column := re.search(r"[Cc]olumn '?\"?(\w+)", reason):
        return next((n for n, text in enumerate(lines, 1) if re.search(rf"\b{re.escape(column[1])}\b", text)), None)
    return None


def _at(file: str, line: int | None) -> str:
    return file if line is None else f"{file}:{line}"
