#!/usr/bin/env python3
"""Drives a server with both of Google's Python clients, v2 and v2beta: subscriptions to events."""
import json
import os

import googleapiclient
from google.api_core import exceptions
from google.cloud import support_v2, support_v2beta
from google.oauth2.credentials import Credentials
from googleapiclient import discovery, errors

import checks
from checks import BASE_URL, OTHER_PARENT, PARENT, TAG, TOKEN, check

MODULES = {"v2": support_v2, "v2beta": support_v2beta}
TOPIC = f"projects/{TAG}/topics/"


def typed(version):
    client_class = MODULES[version].SupportEventSubscriptionServiceClient
    transport = client_class.get_transport_class("rest")
    return client_class(transport=transport(host=BASE_URL, credentials=Credentials(token=TOKEN)))


def discovered(version):
    folder = os.path.join(os.path.dirname(googleapiclient.__file__), "discovery_cache", "documents")
    with open(os.path.join(folder, f"cloudsupport.{version}.json"), encoding="utf-8") as file:
        document = json.load(file)
    document["rootUrl"] = BASE_URL + "/"
    document.pop("mtlsRootUrl", None)
    client = discovery.build_from_document(document, credentials=Credentials(token=TOKEN))
    return client.organizations().supportEventSubscriptions()


def refused(error_class, status, call):
    try:
        answer = call()
    except error_class as error:
        body = error.response.json()["error"]
        assert (body["code"], body["status"]) == (error.code, status) and error.reason, body
        return
    raise AssertionError(f"wanted {error_class.__name__}, got {str(answer)[:200]}")


def created(version, name):
    return typed(version).create_support_event_subscription(
        parent=PARENT, support_event_subscription={"pub_sub_topic": TOPIC + name})


@check
def a_subscription_is_made_read_and_shown_the_same_in_both_versions(version):
    made = created(version, f"made-{version}")
    states = MODULES[version].SupportEventSubscription.State
    assert (made.state, made.pub_sub_topic) == (states.WORKING, f"{TOPIC}made-{version}"), made
    assert made.name.startswith(PARENT + "/supportEventSubscriptions/") and made.create_time == made.update_time
    assert not made.delete_time and not made.purge_time and not made.failure_reason
    assert typed(version).get_support_event_subscription(name=made.name) == made
    other = "v2beta" if version == "v2" else "v2"
    shown = typed(other).get_support_event_subscription(name=made.name)
    assert (shown.name, shown.pub_sub_topic, shown.create_time) == (made.name, made.pub_sub_topic, made.create_time)


@check
def the_topic_is_changed_and_nothing_else_is(version):
    made, client = created(version, "before"), typed(version)
    patch = {"name": made.name, "pub_sub_topic": TOPIC + "after"}
    changed = client.update_support_event_subscription(
        support_event_subscription=patch, update_mask={"paths": ["pub_sub_topic"]})
    assert (changed.name, changed.pub_sub_topic) == (made.name, TOPIC + "after")
    assert client.get_support_event_subscription(name=made.name) == changed
    assert client.update_support_event_subscription(support_event_subscription=patch).pub_sub_topic == TOPIC + "after"
    refused(exceptions.BadRequest, "INVALID_ARGUMENT", lambda: client.update_support_event_subscription(
        support_event_subscription=patch, update_mask={"paths": ["state"]}))


@check
def it_is_deleted_softly_brought_back_and_expunged(version):
    made, client = created(version, "short"), typed(version)
    states = MODULES[version].SupportEventSubscription.State
    for _ in range(2):
        deleted = client.delete_support_event_subscription(name=made.name)
        assert deleted.state == states.DELETED and deleted.purge_time > deleted.delete_time
    refused(exceptions.BadRequest, "FAILED_PRECONDITION", lambda: client.update_support_event_subscription(
        support_event_subscription={"name": made.name, "pub_sub_topic": TOPIC + "x"}))
    back = client.undelete_support_event_subscription(request={"name": made.name})
    assert back.state == states.WORKING and not back.delete_time and not back.purge_time
    refused(exceptions.BadRequest, "FAILED_PRECONDITION",
            lambda: client.undelete_support_event_subscription(request={"name": made.name}))
    client.expunge_support_event_subscription(request={"name": made.name})
    for gone in (client.get_support_event_subscription, client.delete_support_event_subscription):
        refused(exceptions.NotFound, "NOT_FOUND", lambda: gone(name=made.name))


@check
def lists_come_in_pages_by_filter_and_hide_the_deleted(version):
    client, name = typed(version), f"{TOPIC}list-{version}"
    made = [created(version, f"list-{version}").name for _ in range(5)]
    client.delete_support_event_subscription(name=made[1])
    question = {"parent": PARENT, "filter": f'pub_sub_topic="{name}" AND state=WORKING', "page_size": 2}
    pages = list(client.list_support_event_subscriptions(request=question).pages)
    assert [len(page.support_event_subscriptions) for page in pages] == [2, 2]
    listed = [one.name for page in pages for one in page.support_event_subscriptions]
    assert listed == [made[0], *made[2:]], listed
    all_of = {"parent": PARENT, "filter": f'pub_sub_topic="{name}"', "show_deleted": True, "page_size": 100}
    assert [one.name for one in client.list_support_event_subscriptions(request=all_of)] == made
    refused(exceptions.BadRequest, "INVALID_ARGUMENT", lambda: list(
        client.list_support_event_subscriptions(request={"parent": PARENT, "filter": "state=OPEN"})))


@check
def what_is_wrong_or_somebody_elses_is_refused(version):
    client = typed(version)
    for topic in ("", "cases", "projects//topics/t"):
        refused(exceptions.BadRequest, "INVALID_ARGUMENT", lambda: client.create_support_event_subscription(
            parent=PARENT, support_event_subscription={"pub_sub_topic": topic}))
    refused(exceptions.Forbidden, "PERMISSION_DENIED",
            lambda: list(client.list_support_event_subscriptions(parent=OTHER_PARENT)))
    refused(exceptions.Forbidden, "PERMISSION_DENIED", lambda: client.get_support_event_subscription(
        name=OTHER_PARENT + "/supportEventSubscriptions/1"))
    refused(exceptions.NotFound, "NOT_FOUND", lambda: client.get_support_event_subscription(
        name=PARENT + "/supportEventSubscriptions/01ARZ3NDEKTSV4RRFFQ69G5FAV"))


@check
def the_discovery_client_does_all_of_it_without_bodies_where_there_are_none(version):
    client = discovered(version)
    made = client.create(parent=PARENT, body={"pub_sub_topic": TOPIC + "found"}).execute()
    assert (made["state"], made["pubSubTopic"]) == ("WORKING", TOPIC + "found"), made
    assert client.get(name=made["name"]).execute() == made
    patch = client.patch(name=made["name"], updateMask="pub_sub_topic", body={"pubSubTopic": TOPIC + "moved"})
    assert patch.execute()["pubSubTopic"] == TOPIC + "moved"
    question = {"parent": PARENT, "filter": f'pub_sub_topic="{TOPIC}moved"', "pageSize": 1}
    request, listed = client.list(**question), []
    while request is not None:
        answer = request.execute()
        listed += [one["name"] for one in answer.get("supportEventSubscriptions", [])]
        request = client.list_next(request, answer)
    assert made["name"] in listed
    assert client.delete(name=made["name"]).execute()["state"] == "DELETED"
    hidden = client.list(**question | {"pageSize": 100}).execute().get("supportEventSubscriptions", [])
    assert made["name"] not in [one["name"] for one in hidden]
    shown = client.list(**question | {"pageSize": 100}, showDeleted=True).execute()["supportEventSubscriptions"]
    assert made["name"] in [one["name"] for one in shown]
    assert client.undelete(name=made["name"]).execute()["state"] == "WORKING"
    assert client.expunge(name=made["name"]).execute() == {}
    try:
        client.get(name=made["name"]).execute()
    except errors.HttpError as error:
        assert error.status_code == 404
    else:
        raise AssertionError("an expunged subscription is there")


if __name__ == "__main__":
    checks.run("v2", "v2beta")
