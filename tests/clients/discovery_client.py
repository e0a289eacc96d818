#!/usr/bin/env python3
"""Drives a server with Google's discovery-based Python client, v2 and v2beta, by the documents that it brings along."""
import functools
import io
import json
import os
import random
import re
import urllib.parse

import googleapiclient
from google.oauth2.credentials import Credentials
from googleapiclient import discovery, errors, http

import checks
from checks import BASE_URL, OTHER_PARENT, PARENT, TAG, TOKEN, check, eventually


class Requests(http.HttpRequest):
    """Keeps what was sent, to know what was tested."""

    sent = []

    def execute(self, *args, **kwargs):
        answer = super().execute(*args, **kwargs)
        Requests.sent.append((self.method, self.uri, self.headers))
        return answer


class Run:
    """The client of one version, and what its checks made so far."""

    def __init__(self, version):
        self.version = version
        folder = os.path.join(os.path.dirname(googleapiclient.__file__), "discovery_cache", "documents")
        with open(os.path.join(folder, f"cloudsupport.{version}.json"), encoding="utf-8") as file:
            document = json.load(file)
        document["rootUrl"] = BASE_URL + "/"
        document.pop("mtlsRootUrl", None)
        self.client = discovery.build_from_document(
            document, credentials=Credentials(token=TOKEN), requestBuilder=Requests)
        self.cases = self.client.cases()
        self.tag = TAG + version

    def __str__(self):
        return self.version

    def new_case(self, title, **fields):
        body = {"display_name": f"{self.tag} {title}", "description": f"about {title}", "priority": "P3",
                "classification": {"id": self.classification["id"]}, "test_case": True} | fields
        return self.cases.create(parent=PARENT, body=body).execute()

    def found(self, resource, method, field, **arguments):
        """All pages of a list, by the client's own way to the next one."""
        request, pages = getattr(resource, method)(**arguments), []
        while request is not None:
            answer = request.execute()
            pages.append(answer.get(field, []))
            request = getattr(resource, method + "_next")(request, answer)
        return pages

    def listed(self, **arguments):
        return self.found(self.cases, "list", "cases", **arguments)

    def searched(self, **arguments):
        return self.found(self.cases, "search", "cases", **arguments)


def flat(pages):
    return [item for page in pages for item in page]


def names(pages):
    return [item["name"] for item in flat(pages)]


def refused(code, status, call):
    try:
        answer = call.execute()
    except errors.HttpError as error:
        body = json.loads(error.content)["error"]
        assert error.resp["content-type"].startswith("application/json"), error.resp
        assert (error.status_code, body["code"], body["status"]) == (code, code, status), body
        assert error.reason == body["message"], f"{error.reason!r} is not {body['message']!r}"
        assert error.error_details and "ErrorInfo" in error.error_details[0]["@type"], error.error_details
        return error
    raise AssertionError(f"wanted {code} {status}, got {str(answer)[:200]}")


@check
def classifications_are_found_by_a_pattern_and_page_by_page(run):
    search = functools.partial(run.found, run.client.caseClassifications(), "search", "caseClassifications")
    every = flat(search(pageSize=100))
    assert every and all(one["id"] and one["displayName"] for one in every)
    run.classification = every[0]
    leaf = every[0]["displayName"].split(" > ")[-1]
    hits = flat(search(query=f'display_name:"*{leaf.upper()}*"'))
    assert every[0]["id"] in [hit["id"] for hit in hits]
    pages = search(pageSize=2)
    assert flat(pages) == every and all(len(page) <= 2 for page in pages)
    if run.version == "v2beta":
        cloud = flat(search(pageSize=100, product_productLine="GOOGLE_CLOUD"))
        assert cloud and all(one["product"]["productLine"] == "GOOGLE_CLOUD" for one in cloud), cloud[:1]
    refused(400, "INVALID_ARGUMENT", run.client.caseClassifications().search(query="nonsense="))


@check
def a_case_is_created_and_read(run):
    run.case = run.new_case("main é 漢字 😀", priority="P2", time_zone="-07:00", severity="S2",
                            subscriber_email_addresses=["one@acme.example"])
    assert run.case["name"].startswith(PARENT + "/cases/")
    assert run.case["displayName"] == f"{run.tag} main é 漢字 😀"
    assert run.case["priority"] == "P2" and run.case["state"] == "NEW" and run.case["testCase"] is True
    assert run.case["timeZone"] == "-07:00" and run.case["subscriberEmailAddresses"] == ["one@acme.example"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6,9}Z", run.case["createTime"])
    assert "severity" not in run.case, "a removed field is never sent"
    assert run.cases.get(name=run.case["name"]).execute() == run.case


@check
def cases_are_listed_by_filter_page_by_page(run):
    made = [run.new_case(f"page {i}", priority="P4")["name"] for i in range(5)]
    arguments = {"parent": PARENT, "filter": 'state=OPEN AND (priority=P4 OR priority=P0)'}
    if run.version == "v2beta":
        arguments["productLine"] = "GOOGLE_CLOUD"
    eventually(lambda: set(made) <= set(names(run.listed(pageSize=100, **arguments))), "not listed")
    pages = run.listed(pageSize=3, **arguments)
    assert set(made) <= set(names(pages)) and len(names(pages)) == len(set(names(pages)))
    assert all(len(page) <= 3 and all(case["priority"] in ("P0", "P4") for case in page) for page in pages)
    mine = f'creator.email="{run.case["creator"]["email"]}" AND priority=P2'
    assert run.case["name"] in names(run.listed(parent=PARENT, filter=mine, pageSize=100))


@check
def cases_are_searched_by_text_and_fields(run):
    words = f'"{run.tag} MAIN" AND priority=P2 AND update_time>"2020-01-01T00:00:00-05:00"'
    if run.version == "v2":
        arguments = {"parent": PARENT, "query": words}
    else:
        # The parent stands in the query; the parameter is ignored.
        arguments = {"query": f'organization="{PARENT}" AND {words}', "parent": OTHER_PARENT}
    eventually(lambda: names(run.searched(**arguments)) == [run.case["name"]], "not found")
    several = arguments | {"query": arguments["query"].replace(" MAIN", "").replace(" AND priority=P2", "")}
    assert len(names(run.searched(pageSize=2, **several))) == 6
    if run.version == "v2beta":
        refused(400, "INVALID_ARGUMENT", run.cases.search(query=words))
        refused(403, "PERMISSION_DENIED", run.cases.search(query=f'organization="{OTHER_PARENT}"'))


@check
def a_patch_changes_what_its_mask_names(run):
    name = run.case["name"]
    body = {"display_name": f"{run.tag} renamed", "priority": "P1"}
    case = run.cases.patch(name=name, updateMask="display_name,subscriber_email_addresses", body=body).execute()
    assert case["displayName"] == f"{run.tag} renamed" and case["priority"] == "P2"
    assert case.get("subscriberEmailAddresses", []) == [], "named in the mask and absent: cleared"
    assert case["updateTime"] > run.case["updateTime"] and case["createTime"] == run.case["createTime"]
    case = run.cases.patch(name=name, body={"displayName": "no mask", "priority": "P3"}).execute()
    assert (case["displayName"], case["priority"]) == ("no mask", "P3")
    refused(400, "INVALID_ARGUMENT", run.cases.patch(name=name, updateMask="description", body={"description": "x"}))
    assert run.cases.get(name=name).execute() == case, "a refused patch changes nothing"


@check
def comments_are_made_read_and_listed(run):
    comments, parent = run.cases.comments(), run.case["name"]
    texts = [f"comment {i}\r\nsecond line\twith é, ‮, 😀 and \\u0041" for i in range(3)]
    made = [comments.create(parent=parent, body={"body": text}).execute() for text in texts]
    assert [one["body"] for one in made] == texts and [one["plainTextBody"] for one in made] == texts
    eventually(lambda: len(flat(run.found(comments, "list", "comments", parent=parent))) == 3, "not listed")
    listed = flat(run.found(comments, "list", "comments", parent=parent, pageSize=2))
    assert sorted(listed, key=lambda one: one["createTime"]) == made
    assert comments.get(name=made[1]["name"]).execute() == made[1]
    refused(400, "INVALID_ARGUMENT", comments.create(parent=parent, body={"body": ""}))
    refused(400, "INVALID_ARGUMENT", comments.create(parent=parent, body={"body": "x" * 12801}))


CONTENTS = {
    "multipart": ("all bytes.bin", "application/octet-stream", bytes(range(256)) * 40 + b"\r\n--x\r\n\r"),
    "rewritten": ("ünï.txt", "text/plain", "raw ünï\n".encode() * 1000),
    "empty": ("empty.png", "image/png", b""),
    "large": ("large.bin", "application/x-thing", random.Random(7).randbytes(5 * 1024 * 1024)),
}


@check
def files_are_uploaded_in_every_published_way(run):
    upload, run.files = run.client.media().upload, {}
    for key, (filename, mime_type, content) in CONTENTS.items():
        media = http.MediaIoBaseUpload(io.BytesIO(content), mimetype=mime_type)
        if key == "rewritten":
            request = upload(parent=run.case["name"], media_body=media)
            query = urllib.parse.urlencode({"attachment.filename": filename})
            request.uri = request.uri.split("?")[0] + "?" + query
        else:
            request = upload(parent=run.case["name"], media_body=media, body={"attachment": {"filename": filename}})
        run.files[key] = answer = request.execute()
        assert (answer["filename"], answer["mimeType"]) == (filename, mime_type), answer
        assert answer["sizeBytes"] == str(len(content)), answer
    media = http.MediaIoBaseUpload(io.BytesIO(b"x"), mimetype="text/plain")
    refused(400, "INVALID_ARGUMENT", upload(parent=run.case["name"], media_body=media))
    refused(400, "INVALID_ARGUMENT", upload(parent=run.case["name"], body={"attachment": {"filename": "a"}}))
    media = http.MediaIoBaseUpload(io.BytesIO(b"x"), mimetype="text/plain", resumable=True)
    refused(400, "INVALID_ARGUMENT",
            upload(parent=run.case["name"], media_body=media, body={"attachment": {"filename": "a"}}))
    media = http.MediaIoBaseUpload(io.BytesIO(b"x"), mimetype="text/plain")
    refused(403, "PERMISSION_DENIED", upload(parent=OTHER_PARENT + "/cases/1", media_body=media,
                                             body={"attachment": {"filename": "a"}}))


@check
def attachments_are_read_and_listed(run):
    attachments, parent = run.cases.attachments(), run.case["name"]
    made = list(run.files.values())
    eventually(lambda: len(flat(run.found(attachments, "list", "attachments", parent=parent))) == len(made), "not listed")
    listed = flat(run.found(attachments, "list", "attachments", parent=parent, pageSize=3))
    assert sorted(listed, key=lambda one: one["createTime"]) == made
    assert attachments.get(name=made[0]["name"]).execute() == made[0]
    other = made[0]["name"].rsplit("/", 1)[0] + "/01ARZ3NDEKTSV4RRFFQ69G5FAV"
    refused(404, "NOT_FOUND", attachments.get(name=other))


@check
def files_are_downloaded_whole_and_in_ranges(run):
    media = run.client.media()
    for key, (_, _, content) in CONTENTS.items():
        name = run.files[key]["name"]
        assert media.download_media(name=name).execute() == content, f"{key}: whole"
        received = io.BytesIO()
        downloader = http.MediaIoBaseDownload(received, media.download_media(name=name), chunksize=1 << 20)
        finished, chunks = False, 0
        while not finished:
            _, finished = downloader.next_chunk()
            chunks += 1
        assert received.getvalue() == content, f"{key}: in ranges"
        assert chunks == max(1, -(-len(content) // (1 << 20))), f"{key}: {chunks} ranges"
    error = refused(400, "INVALID_ARGUMENT", media.download(name=run.files["rewritten"]["name"]))
    assert "alt" in error.reason, error.reason
    whole = media.download_media(name=run.files["large"]["name"])
    whole.headers["range"] = "bytes=99999999-"
    refused(416, "OUT_OF_RANGE", whole)


@check
def the_feed_shows_comments_and_attachments(run):
    if run.version == "v2":
        assert not hasattr(run.cases, "showFeed"), "v2 has no feed"
        return
    feed = lambda **more: flat(run.found(run.cases, "showFeed", "feedItems", parent=run.case["name"], **more))
    items = eventually(lambda: (found := feed()) and len(found) == 7 and found, "seven items are missing")
    assert [next(iter(set(item) - {"eventTime"})) for item in items] == ["comment"] * 3 + ["attachment"] * 4
    assert [item["eventTime"] for item in items] == sorted(item["eventTime"] for item in items)
    assert feed(orderBy="Creation_Time  DESC", pageSize=2) == items[::-1]
    refused(400, "INVALID_ARGUMENT", run.cases.showFeed(parent=run.case["name"], orderBy="update_time"))


@check
def a_long_get_arrives_as_a_post_that_overrides(run):
    wanted = " OR ".join(["priority=P3"] * 200)
    request = run.cases.list(parent=PARENT, filter=f"state=OPEN AND ({wanted})", pageSize=1)
    assert len(request.uri) > 2048
    answer = request.execute()
    method, _, headers = Requests.sent[-1]
    assert method == "POST" and headers["x-http-method-override"] == "GET", "this check is about the override"
    assert len(answer["cases"]) == 1 and answer["cases"][0]["priority"] == "P3" and answer["nextPageToken"]
    more = run.cases.list_next(run.cases.list(parent=PARENT, filter=f"state=OPEN AND ({wanted})", pageSize=1), answer)
    assert len(more.execute()["cases"]) == 1, "and goes on"
    refused(400, "INVALID_ARGUMENT", run.cases.list(parent=PARENT, filter="state=OPEN AND (" + wanted))
    refused(403, "PERMISSION_DENIED", run.cases.list(parent=OTHER_PARENT, filter=wanted))


@check
def a_case_is_escalated_and_closed(run):
    name = run.case["name"]
    refused(400, "INVALID_ARGUMENT", run.cases.escalate(name=name, body={}))
    body = {"escalation": {"reason": "BUSINESS_IMPACT", "justification": "it hurts"}}
    assert run.cases.escalate(name=name, body=body).execute()["escalated"] is True
    # Without a body: the client sends neither length nor type.
    closed = run.cases.close(name=name).execute()
    assert closed["state"] == "CLOSED"
    assert run.cases.get(name=name).execute()["state"] == "CLOSED"
    refused(400, "FAILED_PRECONDITION", run.cases.escalate(name=name, body=body))


@check
def refusals_arrive_in_the_published_shape(run):
    for parameters in [{"filter": "nosuchfield=1"}, {"filter": "state="}, {"pageSize": -1}, {"pageToken": "garbage"}]:
        refused(400, "INVALID_ARGUMENT", run.cases.list(parent=PARENT, **parameters))
    refused(400, "INVALID_ARGUMENT", run.cases.create(parent=PARENT, body={"displayName": "half"}))
    refused(403, "PERMISSION_DENIED", run.cases.get(name=OTHER_PARENT + "/cases/1"))
    refused(403, "PERMISSION_DENIED", run.cases.list(parent="projects/acme"))
    refused(404, "NOT_FOUND", run.cases.get(name=PARENT + "/cases/01ARZ3NDEKTSV4RRFFQ69G5FAV"))
    first = run.cases.list(parent=PARENT, filter="priority=P4", pageSize=1).execute()
    refused(400, "INVALID_ARGUMENT", run.cases.list(parent=PARENT, filter="priority=P3", pageSize=1,
                                                    pageToken=first["nextPageToken"]))


if __name__ == "__main__":
    checks.run(Run("v2"), Run("v2beta"))
