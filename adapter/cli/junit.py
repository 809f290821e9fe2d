"""Results of cases as JUnit XML, which continuous integration knows how to show."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from msgspec import Struct

from adapter.files.problems import Mark


class Ran(Struct, frozen=True):
    """One case: its place, and how it failed (empty when it passed)."""

    name: str
    at: Mark
    failure: str = ""


def junit(suites: dict[str, Sequence[Ran]]) -> str:
    """Return the suites by name, with a test case each; failures carry their text.

    The format is the one Jenkins and GitLab read (`testsuites`, `testsuite`, `testcase`, `failure`).
    """
    root = Xml.Element("testsuites")
    for name, ran in suites.items():
        failures = sum(bool(case.failure) for case in ran)
        counts = {"tests": str(len(ran)), "failures": str(failures), "errors": "0", "skipped": "0"}
        suite = Xml.SubElement(root, "testsuite", {"name": name, **counts})
        for case in ran:
            _add(suite, case)
    Xml.indent(root)
    return Xml.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add(suite: Xml.Element, case: Ran) -> None:
    place = {"file": case.at.file, "line": str(case.at.line)}
    shown = Xml.SubElement(suite, "testcase", {"classname": case.at.file, "name": _clean(case.name), **place})
    if case.failure:
        message = "the outcome is not what the case expects"
        Xml.SubElement(shown, "failure", {"message": message}).text = _clean(case.failure)


def _clean(text: str) -> str:
    """Leave out what XML cannot hold."""
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")
