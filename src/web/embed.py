#!/usr/bin/env python3
"""Writes files as rows of C for assets.c: ASSET(path, content type, ETag, body).

usage: embed.py OUTPUT FILE...
"""
import pathlib
import sys

TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml; charset=utf-8"}


def fnv1a64(data):
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def literal(data):
    """One C literal for each line; octal escapes, since they end after three digits."""
    for line in data.splitlines(keepends=True):
        plain = (chr(c) if 32 <= c < 127 and c not in b'"\\?' else f"\\{c:03o}" for c in line)
        yield '    "' + "".join(plain) + '"'


def main():
    rows = []
    for name in sys.argv[2:]:
        path = pathlib.Path(name)
        data = path.read_bytes()
        rows.append(f'ASSET("/assets/{path.name}", "{TYPES[path.suffix]}", '
                    f'"\\"{fnv1a64(data):016x}\\"",\n' + "\n".join(literal(data)) + ")\n")
    pathlib.Path(sys.argv[1]).write_text("".join(rows), encoding="ascii")


main()
