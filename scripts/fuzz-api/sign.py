"""What the three providers do: sign a body with the secrets of baophat.toml, and the URLs of its accounts."""

import hashlib
import hmac
import json
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
CONFIG = tomllib.loads((HERE / "baophat.toml").read_text())
ACCOUNTS = {account["provider"]: account for account in CONFIG["account"]}
KEY = CONFIG["api_keys"][0]
TOKEN = ACCOUNTS["esms"]["callback_token"]


def url(provider):
    """The webhook path of a provider's account."""
    path = f"/webhooks/{provider}/{ACCOUNTS[provider]['id']}"
    return f"{path}/{TOKEN}" if provider == "esms" else path


def members(body):
    """The top level of a body; empty where it is no JSON object."""
    try:
        top = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return top if isinstance(top, dict) else {}


def zalo(body):
    """SHA-256 over app id, body, timestamp and key."""
    account, top = ACCOUNTS["zalo"], members(body)
    app, at = str(top.get("app_id", account["app_id"])), str(top.get("timestamp", ""))
    return "mac=" + hashlib.sha256(app.encode() + body + at.encode() + account["oa_secret_key"].encode()).hexdigest()


def facebook(body):
    """HMAC-SHA256 of the body."""
    return "sha256=" + hmac.new(ACCOUNTS["facebook"]["app_secret"][0].encode(), body, hashlib.sha256).hexdigest()


SIGNATURES = {"zalo": ("x-zevent-signature", zalo), "facebook": ("x-hub-signature-256", facebook)}
