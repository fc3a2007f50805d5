#!/usr/bin/env python3
"""Writes a text file as one C literal, a line for each of its lines.

usage: embed.py OUTPUT FILE
"""
import pathlib
import sys


def literal(line):
    """Octal escapes, since they end after three digits."""
    return "".join(chr(c) if 32 <= c < 127 and c not in b'"\\?' else f"\\{c:03o}" for c in line)


def main():
    data = pathlib.Path(sys.argv[2]).read_bytes()
    lines = (f'    "{literal(line)}"\n' for line in data.splitlines(keepends=True))
    pathlib.Path(sys.argv[1]).write_text("".join(lines), encoding="ascii")


main()
