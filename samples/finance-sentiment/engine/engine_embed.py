"""Puts the model and its card into the program: engine_embed.py MODEL CARD OUT.c."""
import pathlib
import sys


def rows(data):
    return ",\n".join(",".join(str(b) for b in data[i:i + 24]) for i in range(0, len(data), 24))


model, card = (pathlib.Path(p).read_bytes() for p in sys.argv[1:3])
pathlib.Path(sys.argv[3]).write_text(
    '#include "engine_model.h"\n\n'
    f"static const unsigned char MODEL[] = {{\n{rows(model)}\n}};\n\n"
    f"static const unsigned char CARD[] = {{\n{rows(card)}\n}};\n\n"
    "str_t model_builtin_bytes(void)\n{\n    return str_of(MODEL, sizeof MODEL);\n}\n\n"
    "str_t engine_card(void)\n{\n    return str_of(CARD, sizeof CARD);\n}\n", encoding="ascii")
