#!/usr/bin/env python3
"""Uploads that break off, names and texts that do harm, files that must not be shared, and large ones in little memory.

Looks at the server's data directory (DATA) and process (SERVER_PID) too, so it runs beside it.
"""
import hashlib
import http.client
import json
import os
import pathlib
import random
import socket
import time
import urllib.parse

import checks
from checks import BASE_URL, PARENT, TAG, TOKEN, check, env, eventually

SERVER = urllib.parse.urlparse(BASE_URL)
BLOBS = pathlib.Path(env("DATA")) / "blobs"
STATUS = pathlib.Path("/proc") / env("SERVER_PID")
HANK = env("HANK_TOKEN")
MIB = 1 << 20
MOST_RISE = 16 * MIB


def call(method, path, body=None, token=TOKEN, **headers):
    """Status and body of an answer; JSON unless it is a file."""
    connection = http.client.HTTPConnection(SERVER.hostname, SERVER.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}"} | {key.replace("_", "-"): value for key, value in headers.items()}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    assert answer.status < 500, f"{answer.status}: {content[:300]}"
    is_json = answer.headers["content-type"].startswith("application/json")
    return answer.status, json.loads(content) if is_json else content


def new_case(parent=PARENT, token=TOKEN, **fields):
    body = {"displayName": f"{TAG} trouble", "description": "x", "priority": "P3", "testCase": True,
            "classification": {"id": "compute-vm"}} | fields
    status, case = call("POST", f"/v2/{parent}/cases", json.dumps(body), token, Content_Type="application/json")
    assert status == 200, case
    return case


def upload(case, filename, content, token=TOKEN):
    query = urllib.parse.urlencode({"attachment.filename": filename})
    path = f"/upload/v2/{case['name']}/attachments?{query}"
    return call("POST", path, content, token, Content_Type="application/octet-stream")


def upload_multipart(case, description, content):
    body = b"--b\r\nContent-Type: application/json\r\n\r\n%s\r\n--b\r\n\r\n%s\r\n--b--" % (description, content)
    return call("POST", f"/upload/v2/{case['name']}/attachments?uploadType=multipart", body,
                Content_Type="multipart/related; boundary=b")


def attachments(case, token=TOKEN):
    return call("GET", f"/v2/{case['name']}/attachments", token=token)[1].get("attachments", [])


def blobs(case):
    folder = BLOBS / "cases" / case["name"].rsplit("/", 1)[1]
    return sorted(path for path in folder.rglob("*") if path.is_file())


def send_and_vanish(head, pieces):
    with socket.create_connection((SERVER.hostname, SERVER.port)) as connection:
        connection.sendall(head.encode())
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.05)


@check
def an_upload_that_breaks_off_leaves_nothing():
    case = new_case()
    path = f"/upload/v2/{case['name']}/attachments"
    common = f"Host: {SERVER.netloc}\r\nAuthorization: Bearer {TOKEN}\r\n"
    half = [b"x" * MIB] * 3
    send_and_vanish(f"POST {path}?attachment.filename=cut.bin HTTP/1.1\r\n{common}Content-Length: {6 * MIB}\r\n\r\n", half)
    chunk = b"%x\r\n%s\r\n" % (MIB, b"y" * MIB)
    send_and_vanish(f"POST {path}?attachment.filename=cut.bin HTTP/1.1\r\n{common}Transfer-Encoding: chunked\r\n\r\n",
                    [chunk] * 3)
    start = b'--b\n\n{"attachment":{"filename":"cut.bin"}}\n--b\n\n'
    send_and_vanish(f"POST {path} HTTP/1.1\r\n{common}Content-Type: multipart/related; boundary=b\r\n"
                    f"Content-Length: {6 * MIB}\r\n\r\n", [start] + half)
    # Complete for HTTP, and without the closing delimiter.
    status, answer = call("POST", path, start + b"z" * MIB, Content_Type="multipart/related; boundary=b")
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT"), answer
    pending = lambda: [path for path in (BLOBS / "pending").rglob("*") if path.is_file()]
    eventually(lambda: not pending(), f"left behind: {pending()}", seconds=5)
    assert attachments(case) == [] and blobs(case) == []
    status, feed = call("GET", f"/v2beta/{case['name']}:showFeed")
    assert status == 200 and feed.get("feedItems", []) == []
    assert upload(case, "cut.bin", b"whole")[0] == 200 and len(attachments(case)) == 1, "and it can be sent again"


@check
def a_refused_upload_is_answered_and_the_connection_stays_good():
    with socket.create_connection((SERVER.hostname, SERVER.port), timeout=20) as connection:
        for _ in range(2):
            head = (f"POST /upload/v2/organizations/initech/cases/1/attachments?attachment.filename=a HTTP/1.1\r\n"
                    f"Host: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {4 * MIB}\r\n\r\n")
            connection.sendall(head.encode())
            time.sleep(0.2)
            for _ in range(4):
                connection.sendall(b"x" * MIB)
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            assert answer.status == 403 and json.loads(answer.read())["error"]["code"] == 403


@check
def a_file_name_that_does_harm_is_refused():
    case = new_case()
    paths = ["../x", "a/b", "a\\b", "..", ".", "/etc/passwd", "C:\\x", "..\\..\\x", "a/../b"]
    controls = ["a\nb", "a\rb", "a\tb", "a\x1b[2Jb", "a\x7fb", "a\u0085b", "\0", "a\0.txt"]
    too_long = ["n" * 10_000, "名" * 10_000]
    for filename in paths + controls + too_long + [" "]:
        answers = [upload_multipart(case, json.dumps({"attachment": {"filename": filename}}).encode(), b"x")]
        if filename != too_long[1]:  # which is no line of a request any more
            answers.append(upload(case, filename, b"x"))
        for status, answer in answers:
            assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT"), f"{filename[:20]!r}: {answer}"
    assert attachments(case) == [] and blobs(case) == []
    harmless = ["..x", "a..b", "%2e%2e%2fx", "名 é 😀.txt", '"q".txt', "a;b=c", "CON", "-rf", "\u202egnp.exe"]
    for filename in harmless:
        status, answer = upload(case, filename, b"x")
        assert (status, answer.get("filename")) == (200, filename), answer


@check
def two_organizations_share_no_file():
    content = random.Random(TAG).randbytes(300_000)
    acme, globex = new_case(), new_case("organizations/globex", HANK)
    for case, token in [(acme, TOKEN), (globex, HANK)]:
        assert upload(case, "same.bin", content, token)[0] == 200
    ours, theirs = blobs(acme), blobs(globex)
    assert ours and theirs, "each has its own"
    assert not {path.name for path in ours} & {path.name for path in theirs}, "nor a name"
    inodes = [(path.stat().st_dev, path.stat().st_ino) for path in ours + theirs]
    assert len(set(inodes)) == len(inodes)
    windows = {content[i:i + 16] for i in range(0, len(content) - 16, 16)}
    seen = set()
    for path in ours + theirs:
        stored = path.read_bytes()
        assert stored not in seen and content[:64] not in stored and content[-64:] not in stored
        seen.add(stored)
    digest = hashlib.sha256(content)
    tells = [digest.hexdigest(), "same"]
    assert not any(tell in str(path) for path in BLOBS.rglob("*") for tell in tells), "no name tells the content"
    assert windows and all(stored[i:i + 16] not in windows for stored in seen for i in range(0, len(stored) - 16, 16))
    name = attachments(globex, HANK)[0]["name"]
    assert call("GET", f"/v2/{name}:download?alt=media")[0] == 403, "and no file of another"
    borrowed = name.replace(globex["name"], acme["name"])
    assert call("GET", f"/v2/{borrowed}:download?alt=media")[0] == 404


def memory(key):
    lines = dict(line.split(":", 1) for line in (STATUS / "status").read_text().splitlines())
    return int(lines[key].split()[0]) * 1024


def rise(what, work):
    """How far the server's memory rises above where it stands, at its highest."""
    (STATUS / "clear_refs").write_text("5")  # the highest is what it is now
    before, started = memory("VmHWM"), time.monotonic()
    work()
    risen, seconds = memory("VmHWM") - before, time.monotonic() - started
    print(f"     {what}: {before / MIB:.1f} MiB + {risen / MIB:.1f} MiB, {seconds:.1f} s")
    assert risen < MOST_RISE, f"{what}: memory rose by {risen / MIB:.1f} MiB"


@check
def a_hundred_mebibytes_pass_in_little_memory():
    piece, count, case = random.Random(1).randbytes(MIB), 100, new_case()
    made = {}

    def send():
        connection = http.client.HTTPConnection(SERVER.hostname, SERVER.port, timeout=120)
        path = f"/upload/v2/{case['name']}/attachments?attachment.filename=large.bin"
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Length": str(count * MIB)}
        connection.request("POST", path, (piece for _ in range(count)), headers)
        answer = connection.getresponse()
        made.update(json.loads(answer.read()))
        assert (answer.status, made.get("sizeBytes")) == (200, str(count * MIB)), made

    def receive():
        connection = http.client.HTTPConnection(SERVER.hostname, SERVER.port, timeout=120)
        connection.request("GET", f"/v2/{made['name']}:download?alt=media", headers={"Authorization": f"Bearer {TOKEN}"})
        answer = connection.getresponse()
        assert answer.status == 200 and answer.headers["content-length"] == str(count * MIB)
        for i in range(count):
            assert answer.read(MIB) == piece, f"MiB {i} is another"
        assert answer.read() == b""

    rise("upload of 100 MiB", send)
    rise("download of 100 MiB", receive)
    too_large = f"/upload/v2/{case['name']}/attachments?attachment.filename=larger.bin"
    status, answer = call("POST", too_large, (piece for _ in range(count + 1)), Content_Length=str((count + 1) * MIB))
    assert status == 413 and answer["error"]["code"] == 413, answer
    assert len(attachments(case)) == 1 and len(blobs(case)) == 1


@check
def half_characters_and_nul_are_refused():
    case = new_case()
    harm = [rb'"a\ud800b"', rb'"\udfff"', rb'"\ud83d\ud83d"', rb'"\u0000"', rb'"a\u0000b"', b'"\xed\xa0\x80"', b'"\xff"']
    for text in harm:
        bodies = {
            f"/v2/{PARENT}/cases": b'{"displayName": %s, "description": "x", "priority": "P3", "classification": {"id": "compute-vm"}}',
            f"/v2beta/{PARENT}/cases": b'{"display_name": "x", "description": %s, "priority": "P3", "classification": {"id": "compute-vm"}}',
            f"/v2/{case['name']}/comments": b'{"body": %s}',
            f"/v2/{case['name']}:escalate": b'{"escalation": {"reason": 1, "justification": %s}}',
        }
        for path, body in bodies.items():
            status, answer = call("POST", path, body % text, Content_Type="application/json")
            assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT"), f"{path} {text}: {answer}"
        patch = f"/v2/{case['name']}?updateMask=displayName"
        status, answer = call("PATCH", patch, b'{"displayName": %s}' % text, Content_Type="application/json")
        assert status == 400, f"{text}: {answer}"
        status, answer = upload_multipart(case, b'{"attachment": {"filename": %s}}' % text, b"x")
        assert status == 400, f"{text}: {answer}"
    for query in ["filter=creator.email%3D%22a%00b%22", "filter=%ED%A0%80", "pageToken=%00", "filter=%FF"]:
        assert call("GET", f"/v2/{PARENT}/cases?{query}")[0] == 400, query
    assert call("GET", f"/v2/{case['name']}")[1] == case, "nothing changed"


@check
def long_texts_in_any_script_come_back_unchanged():
    dice = random.Random(2)
    scripts = {
        "Latin": "Dévoré\u0301 — ", "Cyrillic": "Ёлка ", "Arabic": "مرحبا\u200f ", "Hebrew": "שלום ", "Devanagari": "नमस्ते ",
        "Thai": "สวัสดี", "Han": "漢字", "Hangul": "한글 각", "emoji": "👩‍👩‍👧‍👦🏳️‍🌈", "lines": "a\r\nb\nc\rd\te\u2028\ufeff",
    }
    texts = {name: (text * 50_000)[:50_000] for name, text in scripts.items()}
    texts["every Han character"] = "".join(chr(dice.randrange(0x4E00, 0xA000)) for _ in range(50_000))
    texts["beyond the first plane"] = "".join(chr(dice.randrange(0x10000, 0x2FFFE)) for _ in range(50_000))
    for name, text in texts.items():
        case = new_case(description=text)
        assert case["description"] == text, f"{name}: as created"
        status, again = call("GET", f"/v2/{case['name']}")
        assert status == 200 and again["description"] == text, f"{name}: as read"


if __name__ == "__main__":
    checks.run()
