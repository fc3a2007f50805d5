#!/usr/bin/env python3
"""The program of docs/CLIENT_LIBRARY.md at a server that wants a sign-in, and its exit codes.

usage: client_minimal_test.py PROGRAM

This script is the MCP server, its authorization server, and the person's browser.
"""
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse
import urllib.request

PROGRAM = sys.argv[1]
TOKEN = "the-token"
TOOL = {"name": "count", "description": "counts", "inputSchema": {"type": "object"}}
seen = []


def expect(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: {got!r}, not {wanted!r}")


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def url(self, path=""):
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    def say(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def json(self, status, value):
        self.say(status, json.dumps(value).encode(), Content_Type="application/json")

    def do_GET(self):
        place = urllib.parse.urlparse(self.path)
        asked = dict(urllib.parse.parse_qsl(place.query))
        if place.path == "/.well-known/oauth-protected-resource/mcp":
            self.json(200, {"resource": self.url("/mcp"), "authorization_servers": [self.url()]})
        elif place.path == "/.well-known/oauth-authorization-server":
            self.json(200, {"issuer": self.url(), "authorization_endpoint": self.url("/authorize"),
                            "token_endpoint": self.url("/token"),
                            "registration_endpoint": self.url("/register"),
                            "response_types_supported": ["code"],
                            "code_challenge_methods_supported": ["S256"],
                            "token_endpoint_auth_methods_supported": ["none"]})
        elif place.path == "/authorize":
            expect("resource", asked["resource"], self.url("/mcp"))
            back = urllib.parse.urlencode({"code": "c", "state": asked["state"]})
            self.say(302, Location=f"{asked['redirect_uri']}?{back}")
        else:
            self.say(405 if place.path == "/mcp" else 404)

    def do_DELETE(self):
        self.say(200)

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path == "/register":
            self.json(201, {**json.loads(text), "client_id": "me"})
        elif self.path == "/token":
            seen.append("token")
            self.json(200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 600})
        elif self.headers["Authorization"] != f"Bearer {TOKEN}":
            seen.append("refused")
            place = self.url("/.well-known/oauth-protected-resource/mcp")
            self.say(401, WWW_Authenticate=f'Bearer resource_metadata="{place}"')
        else:
            self.mcp(json.loads(text))

    def mcp(self, asked):
        method, number = asked["method"], asked.get("id")
        results = {"initialize": {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                                  "serverInfo": {"name": "s", "version": "1"}},
                   "tools/list": {"tools": [TOOL]}}
        if number is None:
            self.say(202)
        elif method in results:
            self.json(200, {"jsonrpc": "2.0", "id": number, "result": results[method]})
        elif method == "tools/call" and asked["params"]["name"] == "count":
            self.count(number, asked["params"])
        else:
            self.json(200, {"jsonrpc": "2.0", "id": number,
                            "error": {"code": -32601, "message": "not here"}})

    def count(self, number, params):
        progress = {"progressToken": params["_meta"]["progressToken"], "progress": 1, "total": 2}
        messages = [{"jsonrpc": "2.0", "method": "notifications/progress", "params": progress},
                    {"jsonrpc": "2.0", "id": number,
                     "result": {"content": [{"type": "text", "text": str(params["arguments"]["to"])}]}}]
        body = "".join(f"data: {json.dumps(m)}\n\n" for m in messages).encode()
        self.say(200, body, Content_Type="text/event-stream")


def visit(url):
    """Goes where the page leads, as a browser does."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=60) as answer:
        answer.read()


def run(folder, *arguments):
    """(exit code, lines of standard output, lines of standard error, pages that were opened)"""
    environment = {**os.environ, "CLIENT_MINIMAL_FOLDER": folder}
    program = subprocess.Popen([PROGRAM, *arguments], text=True, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said, pages = [], 0
    for line in program.stderr:
        said.append(line.strip())
        if line.startswith("open this page to sign in: "):
            pages += 1
            visit(line.split()[-1])
    out = program.stdout.read().splitlines()
    return program.wait(60), out, said, pages


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/mcp"
    with tempfile.TemporaryDirectory() as folder:
        code, out, said, pages = run(folder, url, "count", '{"to": 7}')
        expect("the first run", (code, pages), (0, 1))
        expect("its tools", json.loads(out[0]), [TOOL])
        expect("its result", json.loads(out[1])["content"][0]["text"], "7")
        if not any(line.startswith("progress: ") and '"total": 2' in line for line in said):
            raise SystemExit(f"no progress: {said}")
        expect("what was asked", seen, ["refused", "token"])
        code, out, _, pages = run(folder, url)
        expect("the second run, with what is kept", (code, len(out), pages), (0, 1, 0))
        code, out, said, _ = run(folder, url, "other")
        expect("a tool that is not there", (code, len(out)), (1, 1))
        if "not here" not in said[-1]:
            raise SystemExit(f"it said: {said}")
        code, out, said, _ = run(folder)
        expect("without a URL", (code, out), (2, []))
    server.shutdown()


main()
