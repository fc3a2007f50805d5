"""Puts the schemas of the tools into the program: schemas.py IN.json OUT.h.

{"use": "part"} stands for the members of that part; members beside it win. Each schema goes out
whole, without references, which not all hosts follow. For the same reason no input has alternatives
at its top (anyOf, oneOf), which some models' services refuse: the functions check those.
"""
import json
import pathlib
import sys

schemas = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
parts = schemas.pop("parts")


def whole(value):
    if isinstance(value, list):
        return [whole(v) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for key, member in value.items():
        if key != "use":
            out[key] = whole(member)
            continue
        for name in [member] if isinstance(member, str) else member:
            out |= {k: v for k, v in whole(parts[name]).items() if k not in value}
    return out


def literal(name, schema):
    text = json.dumps(whole(schema), separators=(",", ":"))
    rows = "\n".join("    " + json.dumps(text[i:i + 80]) for i in range(0, len(text), 80))
    return f"static const char {name}[] =\n{rows};\n"


pathlib.Path(sys.argv[2]).write_text(
    "".join(literal(f"{tool.upper()}_{side.upper()}", schema)
            for tool, sides in schemas.items() for side, schema in sides.items()),
    encoding="ascii")
