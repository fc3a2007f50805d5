#include "gate/pin.h"

#include <stdlib.h>

#include "core/hex.h"
#include "jose/digest.h"
#include "mcp/operation.h"

/* What is covered. Sorted as all members are. */
static const str_t COVERED[] = {
    STR_INIT("annotations"), STR_INIT("description"), STR_INIT("execution"),
    STR_INIT("inputSchema"), STR_INIT("name"),        STR_INIT("outputSchema"),
    STR_INIT("title"),
};

enum {
    COVERED_COUNT = sizeof COVERED / sizeof *COVERED,
    FIRST_CAP = 16,
    /* Of the canonical form beside the bytes of the definition: a type and a length a value. */
    VALUE_OVERHEAD = 16,
};

str_t gate_pin_state_name(gate_pin_state_t state)
{
    static const str_t NAMES[] = {STR_INIT("same"), STR_INIT("new"), STR_INIT("changed"),
                                  STR_INIT("gone")};
    return NAMES[state];
}

/* A value in one spelling: its type, and its text behind a length. */
static void put_text(buf_t *b, char type, str_t text)
{
    buf_char(b, type);
    buf_u64(b, text.n);
    buf_char(b, ':');
    buf_put(b, text);
}

/* Whole numbers that a double holds exactly have one spelling, as all others have in 17 digits;
 * what no double can hold keeps its own. */
static void put_number(buf_t *b, const json_t *v)
{
    static const double EXACT = 9007199254740992.0;
    char text[40];
    double d;
    buf_t digits = buf_fixed(text, sizeof text);
    bool exact = json_f64(v, &d) && d > -EXACT && d < EXACT;
    if (exact && d == (double)(int64_t)d)
        buf_i64(&digits, (int64_t)d);
    else if (exact)
        buf_fmt(&digits, "%.17g", d);
    put_text(b, 'n', exact ? buf_str(&digits) : v->raw);
}

static int compare_keys(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;
    return str_cmp((*x)->key, (*y)->key);
}

static rc_t put_value(arena_t *a, buf_t *b, const json_t *v);

static rc_t put_members(arena_t *a, buf_t *b, const json_t *object)
{
    const json_t **sorted = ARENA_ARRAY(a, object->count + 1, const json_t *);
    size_t n = 0;
    if (!sorted)
        return RC_MEMORY;
    for (const json_t *m = object->child; m; m = m->next)
        sorted[n++] = m;
    qsort(sorted, n, sizeof *sorted, compare_keys);
    for (size_t i = 0; i < n; i++) {
        put_text(b, 'k', sorted[i]->key);
        TRY(put_value(a, b, sorted[i]));
    }
    buf_char(b, '}');
    return RC_OK;
}

/* As deep as the reader of JSON lets values be. */
static rc_t put_value(arena_t *a, buf_t *b, const json_t *v)
{
    switch (v->type) {
    case JSON_STRING:
        put_text(b, 's', v->str);
        return RC_OK;
    case JSON_NUMBER:
        put_number(b, v);
        return RC_OK;
    case JSON_OBJECT:
        buf_char(b, '{');
        return put_members(a, b, v);
    case JSON_ARRAY:
        buf_char(b, '[');
        for (const json_t *e = v->child; e; e = e->next)
            TRY(put_value(a, b, e));
        buf_char(b, ']');
        return RC_OK;
    default:
        put_text(b, 'l', v->raw);
        return RC_OK;
    }
}

static size_t count_values(const json_t *v)
{
    size_t n = 1;
    for (const json_t *c = v->child; c; c = c->next)
        n += count_values(c);
    return n;
}

rc_t gate_pin_hash(arena_t *a, const json_t *tool, hash_t *out)
{
    str_t text;
    bool twins = false;
    buf_t b = buf_new(a, 2 * tool->raw.n + 4 * VALUE_OVERHEAD * (count_values(tool) + 1));
    for (size_t i = 0; i < COVERED_COUNT; i++) {
        const json_t *m = json_get(tool, COVERED[i]);
        twins |= mcp_member_has_twin(tool, COVERED[i]);
        if (!m)
            continue;
        put_text(&b, 'k', COVERED[i]);
        TRY(put_value(a, &b, m));
    }
    /* Clients that fold case may show what stands there instead. */
    if (twins)
        put_text(&b, 't', tool->raw);
    TRY(buf_done(&b, &text));
    sha256(text, out->b);
    return RC_OK;
}

gate_pin_set_t *gate_pins_find(const gate_pins_t *pins, str_t path)
{
    for (size_t i = 0; i < pins->n; i++) {
        if (str_eq(pins->v[i].path, path))
            return &pins->v[i];
    }
    return NULL;
}

/* Where the tool stands, or would. */
static size_t position(const gate_pin_set_t *set, str_t tool)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (str_cmp(set->v[middle].tool, tool) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

gate_pin_t *gate_pin_find(const gate_pin_set_t *set, str_t tool)
{
    if (!set)
        return NULL;
    size_t at = position(set, tool);
    return at < set->n && str_eq(set->v[at].tool, tool) ? &set->v[at] : NULL;
}

bool gate_pin_is_first_use(const gate_pin_set_t *set, int64_t now_s)
{
    if (!set)
        return true;
    return !set->complete && now_s - set->since < GATE_PIN_FIRST_USE_S && now_s >= set->since;
}

static bool hash_eq(const hash_t *x, const hash_t *y)
{
    return memcmp(x->b, y->b, sizeof x->b) == 0;
}

gate_pin_state_t gate_pin_compare(const gate_pin_set_t *set, str_t tool, const hash_t *definition)
{
    const gate_pin_t *pin = gate_pin_find(set, tool);
    if (!pin || !pin->has_approved)
        return GATE_PIN_NEW;
    return hash_eq(&pin->approved, definition) ? GATE_PIN_SAME : GATE_PIN_CHANGED;
}

bool gate_pin_waits(const gate_pin_set_t *set, str_t tool, int64_t now_s)
{
    const gate_pin_t *pin = gate_pin_find(set, tool);
    if (!pin)
        return !gate_pin_is_first_use(set, now_s);
    return pin->has_pending || !pin->has_approved;
}

static rc_t set_open(arena_t *a, gate_pins_t *pins, str_t path, gate_pin_set_t **out)
{
    *out = gate_pins_find(pins, path);
    if (*out)
        return RC_OK;
    if (pins->n == GATE_PIN_UPSTREAMS)
        return RC_LIMIT;
    if (pins->n == pins->cap) {
        size_t cap = pins->cap ? pins->cap * 2 : FIRST_CAP;
        gate_pin_set_t *v = ARENA_ARRAY(a, cap, gate_pin_set_t);
        if (!v)
            return RC_MEMORY;
        if (pins->n > 0)
            memcpy(v, pins->v, pins->n * sizeof *v);
        pins->v = v;
        pins->cap = cap;
    }
    str_t copy = arena_dup(a, path);
    if (!copy.p)
        return RC_MEMORY;
    *out = &pins->v[pins->n++];
    **out = (gate_pin_set_t){.path = copy};
    return RC_OK;
}

/* The tool's pin, made where there is none. */
static rc_t pin_open(arena_t *a, gate_pin_set_t *set, str_t tool, gate_pin_t **out)
{
    size_t at = position(set, tool);
    *out = gate_pin_find(set, tool);
    if (*out)
        return RC_OK;
    if (set->n == GATE_PIN_TOOLS || tool.n > GATE_PIN_NAME_BYTES)
        return RC_LIMIT;
    if (set->n == set->cap) {
        size_t cap = set->cap ? set->cap * 2 : FIRST_CAP;
        gate_pin_t *v = ARENA_ARRAY(a, cap, gate_pin_t);
        if (!v)
            return RC_MEMORY;
        if (set->n > 0)
            memcpy(v, set->v, set->n * sizeof *v);
        set->v = v;
        set->cap = cap;
    }
    str_t copy = arena_dup(a, tool);
    if (!copy.p)
        return RC_MEMORY;
    memmove(&set->v[at + 1], &set->v[at], (set->n - at) * sizeof *set->v);
    set->n++;
    *out = &set->v[at];
    **out = (gate_pin_t){.tool = copy};
    return RC_OK;
}

/* What is trusted is seen again, or something else is. */
static bool note_definition(gate_pin_t *pin, const gate_pin_sight_t *s)
{
    bool same = pin->has_approved && hash_eq(&pin->approved, &s->definition);
    bool known =
        same ? !pin->has_pending : pin->has_pending && hash_eq(&pin->pending, &s->definition);
    bool was_gone = pin->gone;
    pin->gone = false;
    if (known)
        return was_gone;
    pin->has_pending = !same;
    pin->pending = same ? (hash_t){{0}} : s->definition;
    pin->pending_at = same ? 0 : s->now_s;
    return true;
}

/* Files of before hold hashes alone: what is trusted is written down when it is seen again. */
static void keep_text(arena_t *a, gate_pins_t *pins, gate_pin_set_t *set, gate_pin_t *pin,
                      const gate_pin_sight_t *s)
{
    bool trusted = pin->has_approved && hash_eq(&pin->approved, &s->definition);
    gate_pin_text_t *to = trusted ? &pin->approved_text : &pin->pending_text;
    if (trusted && !pin->has_pending)
        pin->pending_text.text = STR_UNSET;
    if (!to->text.p || !str_eq(to->text, s->text))
        gate_pin_keep(a, pins, set, to, s->text);
}

rc_t gate_pin_note(arena_t *a, gate_pins_t *pins, const gate_pin_sight_t *sight, bool *fresh)
{
    gate_pin_set_t *set;
    gate_pin_t *pin;
    *fresh = false;
    bool first_use = gate_pin_is_first_use(gate_pins_find(pins, sight->path), sight->now_s);
    TRY(set_open(a, pins, sight->path, &set));
    if (set->since == 0)
        set->since = sight->now_s;
    TRY(pin_open(a, set, sight->tool, &pin));
    if (first_use && !pin->has_approved) {
        pin->approved = sight->definition;
        pin->has_approved = *fresh = true;
        keep_text(a, pins, set, pin, sight);
        return RC_OK;
    }
    *fresh = note_definition(pin, sight);
    keep_text(a, pins, set, pin, sight);
    return RC_OK;
}

void gate_pin_note_gone(gate_pin_set_t *set, str_list_t tools, void (*gone)(void *ctx, str_t tool),
                        void *ctx)
{
    for (size_t i = 0; i < set->n; i++)
        set->v[i].seen = false;
    for (size_t i = 0; i < tools.n; i++) {
        gate_pin_t *pin = gate_pin_find(set, tools.v[i]);
        if (pin)
            pin->seen = true;
    }
    for (size_t i = 0; i < set->n; i++) {
        gate_pin_t *pin = &set->v[i];
        if (!pin->seen && !pin->gone)
            gone(ctx, pin->tool);
        pin->gone = !pin->seen;
    }
}

bool gate_pin_is_pending(const gate_pin_t *pin, str_t digits)
{
    if (!pin->has_pending || digits.n > 2 * sizeof pin->pending.b)
        return false;
    for (size_t i = 0; i < digits.n; i++) {
        int half = i % 2 ? pin->pending.b[i / 2] & 15 : pin->pending.b[i / 2] >> 4;
        if (hex_value(digits.p[i]) != half)
            return false;
    }
    return true;
}

size_t gate_pin_approve(gate_pin_set_t *set, str_t tool)
{
    size_t count = 0;
    for (size_t i = 0; i < set->n; i++) {
        gate_pin_t *pin = &set->v[i];
        if (!pin->has_pending || (tool.p && !str_eq(pin->tool, tool)))
            continue;
        gate_pin_text_t was = pin->approved_text;
        pin->approved = pin->pending;
        pin->approved_text = pin->pending_text;
        pin->pending_text = (gate_pin_text_t){.text = STR_UNSET, .room = was.room, .cap = was.cap};
        pin->has_approved = true;
        pin->has_pending = false;
        pin->pending_at = 0;
        count++;
    }
    return count;
}

static void remove_set(gate_pins_t *pins, gate_pin_set_t *set)
{
    size_t at = (size_t)(set - pins->v);
    pins->n--;
    memmove(set, set + 1, (pins->n - at) * sizeof *set);
}

size_t gate_pin_forget(gate_pins_t *pins, str_t path, str_t tool)
{
    gate_pin_set_t *set = gate_pins_find(pins, path);
    size_t count = set ? set->n : 0;
    if (set && !tool.p) {
        remove_set(pins, set);
        return count;
    }
    gate_pin_t *pin = gate_pin_find(set, tool);
    if (!pin)
        return 0;
    size_t at = (size_t)(pin - set->v);
    set->n--;
    memmove(pin, pin + 1, (set->n - at) * sizeof *pin);
    return 1;
}
