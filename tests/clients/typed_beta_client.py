#!/usr/bin/env python3
"""Drives a server with Google's typed Python client, v2beta: what it has beside v2, and both ways to search."""
import requests
from google.api_core import exceptions
from google.cloud import support_v2, support_v2beta
from google.oauth2.credentials import Credentials

import checks
from checks import BASE_URL, OTHER_PARENT, PARENT, TAG, TOKEN, check, eventually


def rest(client_class):
    transport = client_class.get_transport_class("rest")
    return client_class(transport=transport(host=BASE_URL, credentials=Credentials(token=TOKEN)))


CASES = rest(support_v2beta.CaseServiceClient)
COMMENTS = rest(support_v2beta.CommentServiceClient)
ATTACHMENTS = rest(support_v2beta.CaseAttachmentServiceClient)
FEED = rest(support_v2beta.FeedServiceClient)
PRIORITY = support_v2beta.Case.Priority
STATE = support_v2beta.Case.State
MADE = {}


def refused(error_class, status, call):
    try:
        answer = call()
    except error_class as error:
        body = error.response.json()["error"]
        assert (body["code"], body["status"]) == (error.code, status) and body["message"], body
        assert error.reason, "the details hold a reason"
        return
    raise AssertionError(f"wanted {error_class.__name__}, got {str(answer)[:200]}")


@check
def classifications_are_found_for_a_product_line():
    line = support_v2beta.ProductLine.GOOGLE_CLOUD
    request = {"product": {"product_line": line}, "page_size": 3}
    found = list(CASES.search_case_classifications(request=request))
    assert found and all(one.product.product_line == line for one in found)
    MADE["classification"] = found[0]
    maps = {"product": {"product_line": support_v2beta.ProductLine.GOOGLE_MAPS}}
    assert not {one.id for one in CASES.search_case_classifications(request=maps)} & {one.id for one in found}


@check
def a_case_is_created_read_and_listed_for_a_product_line():
    case = CASES.create_case(parent=PARENT, case={
        "display_name": f"{TAG} beta", "description": "beta\r\n\u202eé 😀", "priority": PRIORITY.P2,
        "classification": {"id": MADE["classification"].id}, "test_case": True})
    assert case.priority == PRIORITY.P2 and case.state == STATE.NEW and case.description == "beta\r\n\u202eé 😀"
    assert CASES.get_case(name=case.name) == case
    request = {"parent": PARENT, "filter": "priority=P2 AND state=OPEN", "page_size": 50,
               "product_line": support_v2beta.ProductLine.GOOGLE_CLOUD}
    eventually(lambda: case.name in [one.name for one in CASES.list_cases(request=request)], "not listed")
    old = rest(support_v2.CaseServiceClient).get_case(name=case.name)
    assert (old.display_name, old.update_time) == (case.display_name, case.update_time), "v2 shows the same case"
    MADE["case"] = case


@check
def cases_are_searched_below_a_parent_in_the_path():
    request = {"parent": PARENT, "query": f'organization="{PARENT}" AND "{TAG} BETA"'}
    eventually(lambda: [one.name for one in CASES.search_cases(request=request)] == [MADE["case"].name], "not found")
    for query in [f'"{TAG} BETA"', ""]:
        answer = list(CASES.search_cases(request={"parent": PARENT, "query": query, "page_size": 100}))
        assert MADE["case"].name in [one.name for one in answer], f"{query!r} means all below the path"


@check
def cases_are_searched_below_a_parent_in_the_query():
    url, headers = f"{BASE_URL}/v2beta/cases:search", {"Authorization": f"Bearer {TOKEN}"}
    query = {"query": f'organization="{PARENT}" AND "{TAG} beta"'}
    answer = requests.get(url, params=query, headers=headers, timeout=30).json()
    assert [one["name"] for one in answer["cases"]] == [MADE["case"].name], answer
    foreign = {"query": f'organization="{OTHER_PARENT}"'}
    assert requests.get(url, params=foreign, headers=headers, timeout=30).status_code == 403
    assert requests.get(url, headers=headers, timeout=30).status_code == 400, "without a parent"


@check
def a_case_is_patched_escalated_and_closed():
    name = MADE["case"].name
    case = CASES.update_case(case={"name": name, "priority": PRIORITY.P1, "display_name": "ignored"},
                             update_mask={"paths": ["priority"]})
    assert (case.priority, case.display_name) == (PRIORITY.P1, f"{TAG} beta")
    case = CASES.escalate_case(request={"name": name, "escalation": {
        "reason": support_v2beta.Escalation.Reason.TECHNICAL_EXPERTISE, "justification": "nobody knows"}})
    assert case.escalated is True
    assert CASES.close_case(request={"name": name}).state == STATE.CLOSED


@check
def the_feed_shows_comments_and_attachments_in_either_order():
    case = CASES.create_case(parent=PARENT, case={
        "display_name": f"{TAG} feed", "description": "x", "priority": PRIORITY.P4,
        "classification": {"id": MADE["classification"].id}})
    made = [COMMENTS.create_comment(parent=case.name, comment={"body": f"comment {i}"}) for i in range(3)]
    answer = requests.post(f"{BASE_URL}/upload/v2beta/{case.name}/attachments?attachment.filename=a.txt", b"text",
                           headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "text/plain"}, timeout=30)
    name = answer.json()["name"]
    assert COMMENTS.get_comment(name=made[1].name) == made[1]
    assert ATTACHMENTS.get_attachment(name=name).size_bytes == 4
    eventually(lambda: [one.name for one in ATTACHMENTS.list_attachments(parent=case.name)] == [name], "not listed")
    pages = list(FEED.show_feed(request={"parent": case.name, "page_size": 3}).pages)
    assert [len(page.feed_items) for page in pages] == [3, 1]
    items = [item for page in pages for item in page.feed_items]
    assert [item.comment for item in items[:3]] == made and items[3].attachment.name == name
    assert all(item.event_time == (item.comment or item.attachment).create_time for item in items)
    newest = FEED.show_feed(request={"parent": case.name, "order_by": "creation_time desc", "page_size": 1})
    assert list(newest) == items[::-1]


@check
def refusals_arrive_as_the_classes_that_they_should_be():
    name = MADE["case"].name
    refused(exceptions.BadRequest, "INVALID_ARGUMENT",
            lambda: list(FEED.show_feed(request={"parent": name, "order_by": "update_time"})))
    refused(exceptions.BadRequest, "INVALID_ARGUMENT",
            lambda: list(CASES.list_cases(request={"parent": PARENT, "product_line": 7})))
    refused(exceptions.Forbidden, "PERMISSION_DENIED", lambda: list(CASES.list_cases(parent=OTHER_PARENT)))
    refused(exceptions.Forbidden, "PERMISSION_DENIED",
            lambda: list(FEED.show_feed(parent=OTHER_PARENT + "/cases/1")))
    refused(exceptions.NotFound, "NOT_FOUND",
            lambda: list(FEED.show_feed(parent=PARENT + "/cases/01ARZ3NDEKTSV4RRFFQ69G5FAV")))


if __name__ == "__main__":
    checks.run()
