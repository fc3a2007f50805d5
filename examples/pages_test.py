#!/usr/bin/env python3
"""Compiles the code blocks of pages as a stranger would, and holds copies of whole files to them.

usage: pages_test.py ROOT PAGE...

A block with an #include is a file of its own; one without stands behind the public headers. Behind a line
that ends in `examples/FILE`: the block is that file, byte by byte.
"""
import pathlib
import re
import subprocess
import sys

PRELUDE = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <warder/mcp.h>\n" \
          "#include <warder/client.h>\n"
CC = ["cc", "-std=c11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function",
      "-Wno-unused-const-variable", "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-x", "c"]


def blocks(text):
    """(number of its first line, what stands before, code)"""
    for m in re.finditer(r"^```c\n(.*?)^```$", text, re.M | re.S):
        before = text[:m.start()].rstrip()
        yield text[:m.start(1)].count("\n") + 1, before.rsplit("\n", 1)[-1], m.group(1)


def check(root, page):
    bad = found = 0
    for line, before, code in blocks((root / page).read_text(encoding="utf-8")):
        found += 1
        copy = re.search(r"`(examples/[\w.]+)`:$", before)
        if copy and (root / copy.group(1)).read_text(encoding="utf-8") != code:
            print(f"{page}:{line}: this is not {copy.group(1)}", file=sys.stderr)
            bad += 1
        text = code if "#include" in code else PRELUDE + f'#line {line + 1} "{page}"\n' + code
        run = subprocess.run([*CC, "-I", root / "include", "-"], input=text, text=True)
        bad += run.returncode != 0
        if run.returncode != 0:
            print(f"{page}:{line}: this does not compile", file=sys.stderr)
    print(f"{page}: {found} blocks")
    return bad if found else 1


def main():
    root = pathlib.Path(sys.argv[1])
    return 1 if sum(check(root, page) for page in sys.argv[2:]) else 0


sys.exit(main())
