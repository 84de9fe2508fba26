"""`weakreset doctor` and `--version --verbose`."""

import json
from importlib import metadata

from weakreset import environment
from weakreset.cli import main
from weakreset.environment import Finding, examine, versions


def test_every_extra_is_looked_at_and_what_is_absent_has_its_line(monkeypatch):
    monkeypatch.setattr(environment, "_version", lambda name: None if name == "nptdms" else "1")
    findings = {finding.what: finding for finding in examine()}
    assert findings["extra tdms"] == Finding("extra tdms", "missing", "pip install 'weakreset[tdms]' brings nptdms")
    assert findings["compiled kernel"].state == "ok"
    extras = metadata.metadata("weakreset").get_all("Provides-Extra")
    assert {f"extra {name}" for name in extras} - {"extra dev"} <= set(findings)


def test_what_is_broken_is_a_finding_and_exit_code_1(monkeypatch, capsys):
    def broken() -> Finding:
        raise OSError("no such library")

    monkeypatch.setattr(environment, "_torch", broken)
    monkeypatch.setattr(environment, "_writable", lambda folder: False)
    assert main(["doctor", "--json"]) == 1
    findings = {item["what"]: item for item in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["temporary folder"]["state"] == "broken"
    assert "NUMBA_CACHE_DIR" in findings["compiled code is kept"]["words"]
    assert any(item["words"] == "OSError: no such library" for item in findings.values())


def test_version_verbose_has_what_a_bug_report_needs(capsys):
    assert main(["--version", "--verbose"]) == 0
    out = capsys.readouterr().out
    for name in ("weakreset", "python", "system", "processors", "numpy", "torch", "numba"):
        assert f"\n{name} " in f"\n{out}"
    assert dict(versions())["numpy"]
    assert main(["--version"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert main(["--verbose"]) == 2
