"""An HTTP server that says who clients are, and the key set of tokens that it signs.

Prints its port, then a token for the user `token` (HS256 with the secret in the file named by the argument). Lets in
`alice` with the password `secret`, who may read and write below `home`.
"""

import base64
import hmac
import http.server
import json
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"result": "deny"}
        if question.get("userName") == "alice" and question.get("password") == "secret":
            answer = {"result": "allow", "rules": ["allow readwrite home/#"]}
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def token(secret, claims):
    message = encoded(b'{"alg":"HS256","typ":"JWT"}') + b"." + encoded(json.dumps(claims).encode())
    return message + b"." + encoded(hmac.digest(secret, message, "sha256"))


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"port {server.server_port}", flush=True)
with open(sys.argv[1], "rb") as file:
    secret = file.read()
now = int(time.time())
for name, expiry in (("valid", now + 3600), ("short", now + 3), ("expired", now - 3600)):
    claims = {"sub": "token", "exp": expiry, "acl": ["allow readwrite home/#"]}
    print(f"{name} {token(secret, claims).decode()}", flush=True)
server.serve_forever()
