#!/usr/bin/env python3
"""Holds every answer of a server against its own /openapi.json: no fault, no undocumented answer, type or field."""
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import requests

from checks import BASE_URL, PARENT, TAG, TOKEN

HERE = pathlib.Path(__file__).parent


def made(path, **body):
    """The id of something that the requests can name."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.post(BASE_URL + path, headers=headers, timeout=30, **body)
    answer.raise_for_status()
    return answer.json()["name"].rsplit("/", 1)[1]


case = made(f"/v2/{PARENT}/cases", json={"displayName": TAG, "description": "x", "priority": "P3",
                                         "classification": {"id": "compute-vm"}})
names = {
    "CASE": case,
    "COMMENT": made(f"/v2/{PARENT}/cases/{case}/comments", json={"body": "x"}),
    "ATTACHMENT": made(f"/upload/v2/{PARENT}/cases/{case}/attachments?attachment.filename=x", data=b"{}"),
}
with tempfile.TemporaryDirectory() as folder:
    report = pathlib.Path(folder) / "report.xml"
    # Beside the interpreter that runs this; works in the folder, for it leaves its examples there.
    subprocess.run([pathlib.Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "schemathesis.toml",
                    "run", BASE_URL + "/openapi.json", "--report", "junit", "--report-junit-path", report],
                   cwd=folder, env=os.environ | names, check=False)
    suites = xml.etree.ElementTree.parse(report).getroot()
failed = sum(int(suites.get(kind, 0)) for kind in ["failures", "errors"])
passed = int(suites.get("tests")) - failed
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)
