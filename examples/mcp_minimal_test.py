#!/usr/bin/env python3
"""The program of docs/MCP_SERVER.md as a client without a token meets it, and its exit codes.

usage: mcp_minimal_test.py PROGRAM
"""
import http.client
import json
import signal
import subprocess
import sys
import urllib.parse

PROGRAM = sys.argv[1]
ISSUER = "http://127.0.0.1:9"
LISTING = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def expect(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: {got!r}, not {wanted!r}")


def refused(code, words, *arguments):
    run = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    expect(f"exit code of {arguments}", run.returncode, code)
    if words not in run.stderr or run.stdout:
        raise SystemExit(f"{arguments} said: {run.stderr}{run.stdout}")


def ask(url, method, path, body=None):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    connection.request(method, path, json.dumps(body) if body else None, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer, text


def serve(program):
    line = program.stdout.readline().split()
    expect("the first line", line[:2], ["ready", "at"])
    url = urllib.parse.urlparse(line[2])
    expect("the path", url.path, "/mcp")
    answer, _ = ask(url, "POST", url.path, LISTING)
    expect("without a token", answer.status, 401)
    challenge = answer.getheader("WWW-Authenticate")
    place = "/.well-known/oauth-protected-resource/mcp"
    if f"resource_metadata=\"http://{url.netloc}{place}\"" not in challenge:
        raise SystemExit(f"the challenge is {challenge}")
    answer, text = ask(url, "GET", place)
    document = json.loads(text)
    expect("the document", answer.status, 200)
    expect("its resource", document["resource"], line[2])
    expect("its issuers", document["authorization_servers"], [ISSUER])
    expect("its scopes", document["scopes_supported"], ["math:add"])


def main():
    refused(2, "give ADDRESS:PORT and ISSUER")
    refused(3, "listen must be", "8081", ISSUER)
    refused(3, "issuer must be", "127.0.0.1:0", "http://auth.example.com")
    refused(3, "resource must be", "0.0.0.0:0", ISSUER)
    program = subprocess.Popen([PROGRAM, "127.0.0.1:0", ISSUER], stdout=subprocess.PIPE, text=True)
    try:
        serve(program)
        program.send_signal(signal.SIGTERM)
        expect("the end", program.wait(timeout=60), 0)
    finally:
        program.kill()
        program.wait()


main()
