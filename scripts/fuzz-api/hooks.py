"""Leads what the fuzzer makes to where something is: known ids, configured accounts, signed bodies.

Only values that fit the document are replaced, so that what is wrong on purpose stays wrong.
"""

import itertools
import json
import os
import re
import urllib.request
import zlib

import schemathesis
from requests.auth import AuthBase
from sign import ACCOUNTS, KEY, SIGNATURES, TOKEN

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
SLUG = re.compile(r"[a-z0-9-]{1,40}")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT.*")
CURSOR = re.compile(r"[A-Za-z0-9_-]{28}")
HANDSHAKE = "/webhooks/{provider}/{account}"
ADDRESS = os.environ["BAOPHAT_ADDRESS"]


def ask(path):
    """One answer of the query API."""
    request = urllib.request.Request(ADDRESS + path, headers={"authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


IDS = [m["id"] for m in ask("/v1/messages?limit=500")["data"]]
SEQS = [c["seq"] for c in ask("/v1/callbacks?limit=500")["data"]]
CURSORS = [ask(f"/v1/{what}?limit=3")["next_cursor"] for what in ("messages", "callbacks")]
VERIFY = ACCOUNTS["facebook"]["verify_token"]
TURN = itertools.count()
SLUGS = [account["id"] for account in ACCOUNTS.values()]


def one_of(all_of_them, value):
    """The same one for the same value; now and then the value itself."""
    n = zlib.crc32(str(value).encode())
    return value if n % 8 == 0 else all_of_them[n % len(all_of_them)]


def fits(pattern, value):
    return isinstance(value, str) and pattern.fullmatch(value)


class Signed(AuthBase):
    """Signs the body as it leaves."""

    def __init__(self, provider):
        self.header, self.sign = SIGNATURES[provider]

    def __call__(self, request):
        body = request.body or b""
        request.headers[self.header] = self.sign(body.encode() if isinstance(body, str) else body)
        return request


def lead_path(path):
    if fits(UUID, path.get("id")):
        path["id"] = one_of(IDS, path["id"])
    if isinstance(path.get("seq"), int) and path["seq"] > 0:
        path["seq"] = one_of(SEQS, path["seq"])
    if path.get("provider") in ACCOUNTS and fits(SLUG, path.get("account")):
        path["account"] = ACCOUNTS[path["provider"]]["id"]
        if "callback_token" in path and len(str(path["callback_token"])) % 3:
            path["callback_token"] = TOKEN


def lead_query(query):
    if fits(CURSOR, query.get("cursor")):
        query["cursor"] = one_of(CURSORS, query["cursor"][1:])
        if query["cursor"] not in CURSORS:
            query["cursor"] = CURSORS[0]
    if fits(SLUG, query.get("account")):
        query["account"] = one_of(SLUGS, query["account"])
    # The one rule that a schema cannot say.
    if str(query.get("since")) >= str(query.get("until")):
        query.pop("until", None)


def lead_stats(query):
    """Numbers are not counted by two things together, nor kept for ever; a schema cannot say it."""
    filters = [name for name in ("kind", "template_id", "carrier") if name in query]
    for name in filters[1:]:
        query.pop(name)
    if query.get("by") in ("kind", "template", "carrier", "hour") and filters:
        query.pop("by")
    if fits(MOMENT, query.get("since")):
        query.pop("since")


def lead_body(body):
    for message in body if isinstance(body, list) else [body]:
        if isinstance(message, dict) and fits(SLUG, message.get("account")):
            message["account"] = SLUGS[zlib.crc32(message["account"].encode()) % len(SLUGS)]


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.operation.path == HANDSHAKE and case.method != "POST":
        # The one of them that has a handshake; the document cannot say it of the others.
        case.path_parameters["provider"] = "facebook"
        if case.method == "GET" and next(TURN) % 2:
            case.query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY, "hub.challenge": "1158201444"}
    if isinstance(case.path_parameters, dict):
        lead_path(case.path_parameters)
    if isinstance(case.query, dict):
        lead_query(case.query)
    if case.operation.path == "/v1/stats" and isinstance(case.query, dict):
        lead_stats(case.query)
    if case.operation.path == "/v1/messages":
        lead_body(case.body)
    provider = (case.path_parameters or {}).get("provider")
    if case.operation.path.startswith("/webhooks/") and provider in SIGNATURES:
        kwargs["auth"] = Signed(provider)
