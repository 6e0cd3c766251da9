#!/usr/bin/env python3
"""Cases for a broker with a real client, paho-mqtt: `paho_cases.py PORT VERSION CASE`. VERSION is 3, 4 or 5 for MQTT
3.1, 3.1.1 and 5.0; without a case it lists them, each with the versions it is for. Ends with 0 when the case passes."""
import inspect
import sys
import time

import cases_sessions
import cases_messages
import cases_version5
import harness


def all_cases():
    found = {}
    for module in (cases_messages, cases_sessions, cases_version5):
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found[name] = function
    return found


def versions(function):
    """A case that takes a version is for all of them; one that does not is for 5.0."""
    return [harness.V31, harness.V311, harness.V5] if inspect.signature(function).parameters else [harness.V5]


def main():
    cases = all_cases()
    if len(sys.argv) == 1:
        for name, function in cases.items():
            for version in versions(function):
                print(version, name)
        return
    harness.PORT, version, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    function = cases[name]
    started = time.monotonic()
    if inspect.signature(function).parameters:
        function(version)
    else:
        function()
    print(f"ok {name} {time.monotonic() - started:.2f} s")


if __name__ == "__main__":
    main()
