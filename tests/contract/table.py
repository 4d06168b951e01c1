"""The conformance table: number of the check, SDK, result."""

import re

import pytest

_CHECKS = range(1, 76)
_CHECK = re.compile(r"::test_(node|python|browser|end_to_end)_(\d+)_")
_SDK_NAMES = {
    "node": "@authsignal/node 2.21.0",
    "python": "authsignal 4.1.0 (Python)",
    "browser": "@authsignal/browser 1.16.0",
    "end_to_end": "browser and Node",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table at the end of a run that held any of the checks."""
    results: dict[tuple[int, str], bool] = {}
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            found = _CHECK.search(getattr(report, "nodeid", ""))
            if found:
                key = (int(found[2]), _SDK_NAMES[found[1]])
                results[key] = results.get(key, True) and outcome == "passed"
    if results:
        terminalreporter.section("Authsignal contract")
        for (number, name), passed in sorted(results.items()):
            terminalreporter.write_line(f"{number:>3}  {name:<28} {'pass' if passed else 'FAIL'}")
        passed_checks = {number for number in _CHECKS if all(results.get(key, False) for key in results if key[0] == number)}
        run = {number for number, _ in results}
        terminalreporter.write_line(f"{len(passed_checks & run)} of {len(_CHECKS)} checks pass, {len(run)} were run")
