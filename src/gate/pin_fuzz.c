/* Any bytes as the file of pins, and as a tool. A file that was read is written so that it reads
 * the same; a tool's hash does not depend on how often it is looked at. */
#include "gate/pin.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void check_file(arena_t *a, str_t text)
{
    gate_pins_t pins, again;
    str_t once, twice;
    if (gate_pins_read(a, text, &pins) != RC_OK)
        return;
    check(gate_pins_write(a, &pins, &once) == RC_OK);
    check(gate_pins_read(a, once, &again) == RC_OK && again.n == pins.n);
    check(gate_pins_write(a, &again, &twice) == RC_OK && str_eq(once, twice));
    for (size_t i = 0; i < pins.n; i++) {
        for (size_t j = 0; j < pins.v[i].n; j++)
            check(gate_pin_find(&pins.v[i], pins.v[i].v[j].tool) == &pins.v[i].v[j]);
        gate_pin_approve(&pins.v[i], STR_UNSET);
    }
}

/* What it says can be compared with nothing and with itself. */
static void check_words(arena_t *a, const json_t *tool)
{
    gate_pin_changes_t changes;
    str_t text = gate_pin_text(a, tool);
    if (!text.p)
        return;
    rc_t rc = gate_pin_diff(a, text, text, &changes);
    check(rc != RC_OK || changes.n == 0);
    rc = gate_pin_diff(a, STR_UNSET, text, &changes);
    check(rc != RC_OK || changes.n <= GATE_PIN_CHANGES);
}

static void check_tool(arena_t *a, str_t text)
{
    const json_t *tool;
    hash_t one, two;
    if (json_parse(a, text, NULL, &tool) != RC_OK)
        return;
    check(gate_pin_hash(a, tool, &one) == RC_OK && gate_pin_hash(a, tool, &two) == RC_OK);
    check(memcmp(one.b, two.b, sizeof one.b) == 0);
    check_words(a, tool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena_t *a = arena_new(256 << 20);
    if (!a)
        return 0;
    check_file(a, str_of(data, size));
    check_tool(a, str_of(data, size));
    arena_free(a);
    return 0;
}
