#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Opens what 'vcpulat report' wrote, as the programs that it is for would."""
import json
import sys
import xml.etree.ElementTree as tree


def passed(path):
    assert json.load(open(path))["passed"] is True


def junit(path):
    root = tree.parse(path).getroot()
    assert root.tag == "testsuites"
    for suite in root:
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases)
        assert int(suite.get("failures")) == len(suite.findall("testcase/failure"))
        assert all(case.get("name") and case.get("classname") for case in cases)
    assert sum(int(suite.get("tests")) for suite in root) == int(root.get("tests"))


def tap(path):
    lines = open(path).read().splitlines()
    points = [line for line in lines if line.startswith(("ok ", "not ok "))]
    assert lines[0] == "TAP version 13" and points
    assert lines[-1] == f"1..{len(points)}"
    assert [int(point.removeprefix("not ").split()[1]) for point in points] == list(range(1, len(points) + 1))
    assert all(line in points or line.startswith("# ") for line in lines[1:-1])


def trace(path, gap=None):
    events = json.load(open(path))["traceEvents"]
    slices = [event for event in events if event["ph"] == "X"]
    assert slices and all(event["dur"] >= 0 and "ts" in event and "pid" in event for event in slices)
    assert {event["ph"] for event in events} <= {"M", "X", "i"}
    assert gap is None or {event["args"]["gap"] for event in slices if "gap" in event["args"]} == {int(gap)}


def schema(name, *paths):
    import jsonschema
    rules = json.load(open(name))
    jsonschema.Draft7Validator.check_schema(rules)
    for path in paths:
        jsonschema.Draft7Validator(rules).validate(json.load(open(path)))


def vague(path, cause):
    """Gaps below the clock's error, and no others, have no cause."""
    result = json.load(open(path))
    error = result["clock"]["error_ns"]
    below = [gap for gap in result["gaps"] if gap["len_ns"] < error]
    assert len(below) > 10 and len(below) < len(result["gaps"])
    for gap in result["gaps"]:
        assert gap.get("vague", False) == (gap["len_ns"] < error), gap
    for gap in below:
        assert gap["cause"] == "unexplained" and not gap["single"] and "segments" not in gap
        assert gap["parts"] == [{"cause": "unexplained", "ns": gap["len_ns"]}]
        assert gap["roots"] == [{"cause": "unexplained", "count": 1}]
    assert any(gap["cause"] == cause for gap in result["gaps"])


def narrow(path, columns):
    assert all(len(line.rstrip("\n")) <= int(columns) for line in open(path))


globals()[sys.argv[1]](*sys.argv[2:])
