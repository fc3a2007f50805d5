#include "gate/pin.h"

#include "core/hex.h"

enum { VERSION = 1 };

static bool read_hash(const json_t *v, hash_t *out)
{
    if (!json_is(v, JSON_STRING) || v->str.n != 2 * sizeof out->b)
        return false;
    for (size_t i = 0; i < sizeof out->b; i++) {
        int high = hex_value(v->str.p[2 * i]), low = hex_value(v->str.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out->b[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* A time that may be absent. */
static bool read_time(const json_t *object, str_t name, int64_t *out)
{
    *out = 0;
    return !json_get(object, name) || (json_get_i64(object, name, out) && *out >= 0);
}

static bool read_flag(const json_t *object, str_t name, bool *out)
{
    *out = false;
    return !json_get(object, name) || json_get_bool(object, name, out);
}

/* It has no room of its own: it borrows the file. */
static gate_pin_text_t read_text(const json_t *v, str_t name)
{
    str_t text = json_get_str(v, name);
    bool good = text.p && text.n <= GATE_PIN_TEXT_BYTES;
    return (gate_pin_text_t){.text = good ? text : STR_UNSET,
                             .spelled = good ? gate_pin_spelled(text) : 0};
}

static bool read_pin(const json_t *v, gate_pin_t *pin)
{
    const json_t *approved = json_get(v, STR("approved")), *pending = json_get(v, STR("pending"));
    pin->tool = json_get_str(v, STR("name"));
    pin->has_approved = approved != NULL;
    pin->has_pending = pending != NULL;
    if (!pin->tool.p || pin->tool.n > GATE_PIN_NAME_BYTES || (!approved && !pending))
        return false;
    if ((approved && !read_hash(approved, &pin->approved)) ||
        (pending && !read_hash(pending, &pin->pending)))
        return false;
    pin->approved_text = read_text(v, STR("approved_text"));
    pin->pending_text = read_text(v, STR("pending_text"));
    return read_time(v, STR("pending_at"), &pin->pending_at) &&
           read_flag(v, STR("gone"), &pin->gone);
}

/* Sorted as it was written, so that look-ups find what is there; that also rules out doubles. */
static rc_t read_set(arena_t *a, const json_t *v, gate_pin_set_t *set)
{
    const json_t *tools = json_get(v, STR("tools"));
    set->path = json_get_str(v, STR("path"));
    bool good = set->path.p && json_is(tools, JSON_ARRAY) && tools->count <= GATE_PIN_TOOLS &&
                read_time(v, STR("since"), &set->since) &&
                read_flag(v, STR("complete"), &set->complete);
    if (!good)
        return RC_MALFORMED;
    set->cap = tools->count;
    set->v = ARENA_ARRAY(a, set->cap + 1, gate_pin_t);
    if (!set->v)
        return RC_MEMORY;
    for (const json_t *t = tools->child; t; t = t->next) {
        gate_pin_t *pin = &set->v[set->n++];
        if (!read_pin(t, pin) || (set->n > 1 && str_cmp(pin[-1].tool, pin->tool) >= 0))
            return RC_MALFORMED;
    }
    return RC_OK;
}

static rc_t read_sets(arena_t *a, const json_t *list, gate_pins_t *pins)
{
    if (!json_is(list, JSON_ARRAY) || list->count > GATE_PIN_UPSTREAMS)
        return RC_MALFORMED;
    pins->cap = list->count;
    pins->v = ARENA_ARRAY(a, pins->cap + 1, gate_pin_set_t);
    if (!pins->v)
        return RC_MEMORY;
    for (const json_t *u = list->child; u; u = u->next) {
        gate_pin_set_t set = {.path = STR_UNSET};
        TRY(read_set(a, u, &set));
        if (gate_pins_find(pins, set.path))
            return RC_MALFORMED;
        pins->v[pins->n++] = set;
    }
    return RC_OK;
}

rc_t gate_pins_read(arena_t *a, str_t text, gate_pins_t *out)
{
    static const json_limits_t LIMITS = {GATE_PIN_FILE_BYTES, 8, 800000};
    gate_pins_t pins = {0};
    const json_t *root;
    int64_t version;
    *out = pins;
    TRY(json_parse(a, text, &LIMITS, &root));
    if (!json_get_i64(root, STR("version"), &version) || version != VERSION)
        return RC_MALFORMED;
    TRY(read_sets(a, json_get(root, STR("upstreams")), &pins));
    *out = pins;
    return RC_OK;
}

static void write_hash(json_writer_t *w, str_t name, const hash_t *hash)
{
    char text[2 * sizeof hash->b];
    buf_t b = buf_fixed(text, sizeof text);
    buf_hex(&b, hash->b, sizeof hash->b);
    json_member_str(w, name, buf_str(&b));
}

static void write_text(json_writer_t *w, str_t name, bool told, const gate_pin_text_t *text)
{
    if (told && text->text.p)
        json_member_str(w, name, text->text);
}

static void write_pin(json_writer_t *w, const gate_pin_t *pin, bool texts)
{
    json_begin_object(w);
    json_member_str(w, STR("name"), pin->tool);
    if (pin->has_approved)
        write_hash(w, STR("approved"), &pin->approved);
    if (pin->has_pending) {
        write_hash(w, STR("pending"), &pin->pending);
        json_member_int(w, STR("pending_at"), pin->pending_at);
    }
    if (pin->gone)
        json_member_bool(w, STR("gone"), true);
    write_text(w, STR("approved_text"), texts && pin->has_approved, &pin->approved_text);
    write_text(w, STR("pending_text"), texts && pin->has_pending, &pin->pending_text);
    json_end_object(w);
}

static void write_set(json_writer_t *w, const gate_pin_set_t *set, bool texts)
{
    json_begin_object(w);
    json_member_str(w, STR("path"), set->path);
    json_member_int(w, STR("since"), set->since);
    json_member_bool(w, STR("complete"), set->complete);
    json_key(w, STR("tools"));
    json_begin_array(w);
    for (size_t i = 0; i < set->n; i++)
        write_pin(w, &set->v[i], texts);
    json_end_array(w);
    json_end_object(w);
}

/* Of which sets the texts are written. */
typedef struct {
    bool told[GATE_PIN_UPSTREAMS];
} told_t;

static rc_t write_all(buf_t *b, const gate_pins_t *pins, const told_t *which)
{
    json_writer_t w = json_writer(b);
    b->n = 0;
    b->failed = RC_OK;
    json_begin_object(&w);
    json_member_int(&w, STR("version"), VERSION);
    json_key(&w, STR("upstreams"));
    json_begin_array(&w);
    for (size_t i = 0; i < pins->n; i++)
        write_set(&w, &pins->v[i], which->told[i]);
    json_end_array(&w);
    json_end_object(&w);
    return b->failed;
}

/* What the texts of a set add, with their names. */
static size_t texts_of(const gate_pin_set_t *set)
{
    enum { NAMES = sizeof ",\"approved_text\":\"\",\"pending_text\":\"\"" };
    return gate_pin_share(set) + set->n * NAMES;
}

/* Those of all sets that fit into `room` without the largest ones. */
static void choose(const gate_pins_t *pins, size_t room, told_t *which)
{
    size_t sizes[GATE_PIN_UPSTREAMS], all = 0;
    for (size_t i = 0; i < pins->n; i++) {
        sizes[i] = texts_of(&pins->v[i]);
        which->told[i] = true;
        all += sizes[i];
    }
    for (size_t n = pins->n; n > 0 && all > room; n--) {
        size_t largest = 0;
        for (size_t i = 1; i < pins->n; i++)
            largest = sizes[i] > sizes[largest] ? i : largest;
        all -= sizes[largest];
        sizes[largest] = 0;
        which->told[largest] = false;
    }
}

rc_t gate_pins_write(arena_t *a, const gate_pins_t *pins, str_t *out)
{
    told_t which;
    buf_t b = buf_new(a, GATE_PIN_FILE_BYTES);
    memset(&which, 1, sizeof which);
    rc_t rc = write_all(&b, pins, &which);
    if (rc == RC_LIMIT) {
        which = (told_t){{false}};
        TRY(write_all(&b, pins, &which));
        choose(pins, GATE_PIN_FILE_BYTES - b.n, &which);
        rc = write_all(&b, pins, &which);
    }
    return rc == RC_OK ? buf_done(&b, out) : rc;
}
