"""Has Voucherify's own models read our requests: run it with the PyPI package `voucherify` 6.1.1 installed.

python -m venv /tmp/vf && /tmp/vf/bin/pip install voucherify==6.1.1
/tmp/vf/bin/python tests/destinations/verify_requests.py
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "cases" / "voucherify_requests.jsonl"


def without_nulls(value: Any) -> Any:
    """Return a document without members that are null, which the models add, and with times as one text."""
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else value


def main() -> None:
    models = importlib.import_module("voucherify.models")
    for line in FILE.read_text(encoding="utf-8").splitlines():
        request = json.loads(line)
        read = getattr(models, request["model"]).from_dict(request["body"])
        again = without_nulls(read.to_dict())
        if again != request["body"]:
            raise SystemExit(f"{request['model']} reads {again}, not {request['body']}")
    print("their models read every request, and nothing is lost")  # noqa: T201 - a program


if __name__ == "__main__":
    main()
