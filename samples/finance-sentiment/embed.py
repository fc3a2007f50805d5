"""Puts a file into the program: embed.py FILE OUT.c NAME."""
import pathlib
import sys

data = pathlib.Path(sys.argv[1]).read_bytes()
name = sys.argv[3]
rows = [",".join(str(b) for b in data[i:i + 24]) for i in range(0, len(data), 24)]
pathlib.Path(sys.argv[2]).write_text(
    f'#include "feed.h"\n\nconst unsigned char {name}[] = {{\n' + ",\n".join(rows) +
    f"\n}};\nconst size_t {name}_BYTES = sizeof {name};\n", encoding="ascii")
