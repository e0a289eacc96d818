#!/usr/bin/env python3
"""Follows the events for analytics on NATS JetStream and prints each as one line of JSON, a CloudEvent.

    pip install -r requirements.txt
    ./analytics_consumer.py --server nats://127.0.0.1:4222 --durable my-job
    ./analytics_consumer.py --durable acme-only --subject 'dossier.analytics.acme.>'

A durable pull consumer: started again under the same name it goes on where it left off, and a new name begins with the first
event that the stream still holds. A message is acknowledged when its line is written, so that a crash loses nothing; what
comes twice for that is told by its `ce-id` and left out. Published schemas: /asyncapi.json of the server.
"""

import argparse
import asyncio
import collections
import json
import signal
import sys

import nats
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

BATCH_MESSAGES = 100
FETCH_SECONDS = 1
REMEMBERED_IDS = 100_000


class Seen:
    """The ids of the latest events, so that a repeat is known."""

    def __init__(self):
        self.ids = collections.OrderedDict()

    def add(self, event_id):
        """Whether the id is new."""
        if event_id in self.ids:
            return False
        self.ids[event_id] = None
        if len(self.ids) > REMEMBERED_IDS:
            self.ids.popitem(last=False)
        return True


def cloud_event(message):
    """The event in the structured mode of CloudEvents: attributes from the headers, the data from the body."""
    headers = message.headers or {}
    event = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}
    event["datacontenttype"] = headers.get("content-type", "application/json")
    event["data"] = json.loads(message.data)
    return event


async def consume(arguments, stopping):
    """Prints events until told to stop, or until there were enough; answers how many."""
    connection = await nats.connect(arguments.server, max_reconnect_attempts=-1, name=arguments.durable)
    try:
        # One subject only: servers before 2.10 take no more, and deliver everything instead of saying so.
        subscription = await connection.jetstream().pull_subscribe(
            arguments.subject,
            durable=arguments.durable,
            stream=arguments.stream,
            config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, deliver_policy=DeliverPolicy.ALL),
        )
        seen, printed = Seen(), 0
        while not stopping.is_set() and printed != arguments.max:
            wanted = BATCH_MESSAGES if arguments.max is None else min(BATCH_MESSAGES, arguments.max - printed)
            try:
                messages = await subscription.fetch(wanted, timeout=FETCH_SECONDS)
            except asyncio.TimeoutError:  # the client's own errors of that name among them
                if arguments.until_idle:
                    break
                continue
            for message in messages:
                event = cloud_event(message)
                if seen.add(event["id"]):
                    print(json.dumps(event, ensure_ascii=False), flush=True)
                    printed += 1
                await message.ack()
        return printed
    finally:
        # Acknowledgements under way are sent first.
        await connection.flush()
        await connection.close()


async def main():
    """Reads the arguments and consumes until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--server", default="nats://127.0.0.1:4222", help="where NATS listens (default: %(default)s)")
    parser.add_argument("--stream", default="DOSSIER_ANALYTICS", help="name of the stream (default: %(default)s)")
    parser.add_argument("--durable", required=True, help="name of this job: it goes on where it left off")
    parser.add_argument("--subject", default="dossier.analytics.>",
                        help="only these: dossier.analytics.ORGANIZATION.CATEGORY.TYPE (default: all)")
    parser.add_argument("--max", type=int, metavar="N", help="end after N events")
    parser.add_argument("--until-idle", action="store_true", help="end when there is nothing more")
    arguments = parser.parse_args()
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    printed = await consume(arguments, stopping)
    print(f"{printed} events", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())
