"""Results of cases as JUnit XML, which continuous integration knows how to show."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from adapter.mapping.cases import Result


def junit(results: Sequence[Result]) -> str:
    """Return one test suite with a test case each; failures carry the diff.

    The format is the one Jenkins and GitLab read (`testsuite`, `testcase`, `failure`).
    """
    failures = sum(not result.passed for result in results)
    counts = {"tests": str(len(results)), "failures": str(failures), "errors": "0", "skipped": "0"}
    suite = Xml.Element("testsuite", {"name": "mappings", **counts})
    for result in results:
        case = result.case
        place = {"file": str(case.path), "line": str(case.at.line)}
        shown = Xml.SubElement(suite, "testcase", {"classname": str(case.path), "name": case.name, **place})
        if not result.passed:
            failure = Xml.SubElement(
                shown, "failure", {"message": "the outcome is not what the case expects"}
            )
            failure.text = "".join(sign for sign in result.diff if sign.isprintable() or sign in "\n\t")
    Xml.indent(suite)
    return Xml.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"
