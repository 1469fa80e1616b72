"""Has the program send its test webhooks here, and verifies them with the official standardwebhooks library: under the old and the new
secret of a rotation, and under no other secret, body, id or time."""

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

taken = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        taken.append((self.path, dict(self.headers.items()), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def secret():
    return "whsec_" + base64.b64encode(os.urandom(32)).decode()


def refuses(name, key, body, headers):
    try:
        Webhook(key).verify(body, headers)
    except WebhookVerificationError:
        return
    sys.exit(f"standard-webhooks: a webhook with another {name} was accepted")


def main(program):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    origin = f"http://127.0.0.1:{server.server_port}"
    old, new = secret(), secret()
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "baophat.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'database = "sqlite:{folder}/b.db"\n')
            for table, more in (("alert", 'kind = "webhook"\n'), ("subscription", 'lang = "vi"\n')):
                file.write(f'[[{table}]]\nid = "{table}"\n{more}url = "{origin}/{table}"\nallow_private = true\n')
                file.write(f'secrets = ["{old}", "{new}"]\n')
        told = subprocess.run([program, "alert", "test", "--all", "--json", "--config", config], capture_output=True, check=False)
    server.shutdown()
    if told.returncode != 0 or sorted(path for path, _, _ in taken) != ["/alert", "/subscription"]:
        sys.exit(f"standard-webhooks: the program sent {len(taken)} webhooks: {told}")
    for path, headers, body in taken:
        for key in (old, new):
            payload = Webhook(key).verify(body, headers)
            assert payload == json.loads(body) and payload["type"] == "alert.test", payload
        refuses("secret", secret(), body, headers)
        refuses("body", old, body + b" ", headers)
        refuses("id", old, body, {**headers, "webhook-id": headers["webhook-id"] + "0"})
        refuses("time", old, body, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)})
        print(f"{path}: verified with the official library, by the old and by the new secret")


main(sys.argv[1])
