"""Fills a server before it is fuzzed: every fixture as signed traffic, some registrations, answers and marks.

Usage: seed.py ADDRESS. Prints how many callbacks were taken; fails when there are too few messages to ask for.
"""

import json
import sys
import time
import urllib.error
import urllib.request

from sign import ACCOUNTS, HERE, KEY, SIGNATURES, TOKEN, url

FIXTURES = HERE.parent.parent / "fixtures"


def call(address, method, path, body=None, headers=None):
    """Status and body of one request."""
    request = urllib.request.Request(address + path, data=body, headers=headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read()


def api(address, method, path, body=None):
    """The JSON that the query API answers."""
    headers = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
    status, answer = call(address, method, path, None if body is None else json.dumps(body).encode(), headers)
    assert status in (200, 201), (status, answer)
    return json.loads(answer)


def replay(address):
    """Sends every fixture once; the number of those that were taken."""
    taken = 0
    for file in sorted(FIXTURES.glob("*/*.json")):
        case = json.loads(file.read_text())
        if "request" not in case:
            continue
        provider, request = file.parent.name, case["request"]
        body = request.get("body", "").encode()
        headers = {"content-type": "application/json"}
        for name, value in request.get("headers", {}).items():
            headers[name] = SIGNATURES[provider][1](body) if value == "{sign}" else value
        path = url(provider).replace(TOKEN, request.get("path_token", "{token}").replace("{token}", TOKEN))
        if request.get("query"):
            path += "?" + request["query"]
        if any(ord(c) <= 32 or ord(c) > 126 for c in path):
            continue
        post = request["method"] == "POST"
        taken += call(address, request["method"], path, body if post else None, headers)[0] == 200
    return taken


def register(address):
    """Messages of every account in several states."""
    for account in ACCOUNTS.values():
        many = [
            {"account": account["id"], "ref": f"order-{n}", "recipient": f"09120001{n:02}", "kind": "otp", "metadata": {"n": n}}
            for n in range(20)
        ]
        all_of_them = api(address, "POST", "/v1/messages", many)
        for message in all_of_them[:5]:
            api(address, "POST", f"/v1/messages/{message['id']}/response", {"status": 0, "error": "timed out"})
        for message in all_of_them[5:8]:
            api(address, "POST", f"/v1/messages/{message['id']}/mark-failed", {"reason": "the customer called"})


def main():
    address = sys.argv[1]
    taken = replay(address)
    register(address)
    deadline = time.monotonic() + 20
    while api(address, "GET", "/v1/callbacks?status=received&limit=1")["data"] and time.monotonic() < deadline:
        time.sleep(0.1)
    page = api(address, "GET", "/v1/messages?limit=500")
    print(f"seeded: {taken} callbacks, {len(page['data'])} messages")
    assert taken > 100 and len(page["data"]) > 100


if __name__ == "__main__":
    main()
