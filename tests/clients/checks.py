"""What the drivers share: checks that run in order, what they say in the end, and where the server is."""
import os
import sys
import time
import traceback
import uuid


def env(name):
    value = os.environ.get(name)
    if not value:
        sys.exit(f"set {name} in the environment")
    return value


BASE_URL = env("BASE_URL").rstrip("/")
TOKEN = env("TOKEN")
PARENT = env("PARENT")
OTHER_PARENT = env("OTHER_PARENT")
# In everything that a run writes, so that it finds its own among what others wrote.
TAG = "chk" + uuid.uuid4().hex[:12]

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def eventually(probe, message, seconds=2):
    """What probe() says as soon as it is true; lists may lag a write by a moment."""
    end = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        assert time.monotonic() < end, message
        time.sleep(0.1)


def run(*variants):
    """Passes every check with every variant, and ends the process."""
    passed = failed = 0
    for variant in variants or (None,):
        for function in CHECKS:
            name = function.__name__.replace("_", " ") + (f" ({variant})" if variant else "")
            try:
                function(variant) if variants else function()
            except Exception as error:
                failed += 1
                frames = traceback.extract_tb(error.__traceback__)
                line = next((f.lineno for f in reversed(frames) if f.filename == sys.argv[0]), "?")
                print(f"FAIL {name} (line {line}): {type(error).__name__}: {str(error)[:1000]}")
            else:
                passed += 1
                print(f"ok   {name}")
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
