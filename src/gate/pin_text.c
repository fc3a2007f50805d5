/* What a definition said, kept beside its hash for whoever approves it. The hash decides; the text
 * is there as long as there is room. */
#include "gate/pin.h"

#include "mcp/operation.h"

static const str_t SHOWN[] = {
    STR_INIT("name"),        STR_INIT("title"),        STR_INIT("description"),
    STR_INIT("inputSchema"), STR_INIT("outputSchema"), STR_INIT("annotations"),
    STR_INIT("execution"),
};

/* Also what clients that fold case may show instead: the hash covers it. */
static bool is_shown(str_t key)
{
    for (size_t i = 0; i < sizeof SHOWN / sizeof *SHOWN; i++) {
        if (str_eq(key, SHOWN[i]) || mcp_is_twin(key, SHOWN[i]))
            return true;
    }
    return false;
}

str_t gate_pin_text(arena_t *a, const json_t *tool)
{
    buf_t b = buf_new(a, GATE_PIN_TEXT_BYTES);
    json_writer_t w = json_writer(&b);
    str_t out;
    json_begin_object(&w);
    for (const json_t *m = json_is(tool, JSON_OBJECT) ? tool->child : NULL; m; m = m->next) {
        if (!is_shown(m->key))
            continue;
        json_key(&w, m->key);
        json_raw(&w, m->raw);
    }
    json_end_object(&w);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

size_t gate_pin_spelled(str_t text)
{
    size_t n = text.p ? text.n : 0;
    for (size_t i = 0; text.p && i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        n += c < 0x20 || c == 0x7f ? 5 : c == '"' || c == '\\';
    }
    return n;
}

size_t gate_pin_share(const gate_pin_set_t *set)
{
    size_t n = 0;
    for (size_t i = 0; i < set->n; i++) {
        const gate_pin_t *pin = &set->v[i];
        n += pin->approved_text.text.p ? pin->approved_text.spelled : 0;
        n += pin->pending_text.text.p ? pin->pending_text.spelled : 0;
    }
    return n;
}

/* Room that is there is used again: an upstream that changes its mind all the time takes no more.
 */
static bool has_room(arena_t *a, gate_pins_t *pins, gate_pin_set_t *set, gate_pin_text_t *to,
                     size_t n)
{
    size_t cap = to->cap > 0 ? to->cap : GATE_PIN_TEXT_LEAST;
    if (n <= to->cap)
        return true;
    while (cap < n)
        cap *= 2;
    bool fits = set->room_bytes + cap <= GATE_PIN_ROOM_BYTES &&
                pins->text_bytes + cap <= GATE_PIN_TEXTS_BYTES;
    char *room = fits ? arena_alloc(a, cap) : NULL;
    if (!room)
        return false;
    set->room_bytes += cap;
    pins->text_bytes += cap;
    to->room = room;
    to->cap = cap;
    return true;
}

/* Within a share: what one upstream says takes no room from what others do. */
void gate_pin_keep(arena_t *a, gate_pins_t *pins, gate_pin_set_t *set, gate_pin_text_t *to,
                   str_t text)
{
    size_t spelled = gate_pin_spelled(text);
    to->text = STR_UNSET;
    if (!text.p || text.n > GATE_PIN_TEXT_BYTES)
        return;
    if (gate_pin_share(set) + spelled > GATE_PIN_SHARE_BYTES || !has_room(a, pins, set, to, text.n))
        return;
    memcpy(to->room, text.p, text.n);
    to->text = str_of(to->room, text.n);
    to->spelled = spelled;
}

/* The difference. */

typedef struct above {
    const struct above *up;
    str_t name;
    size_t depth;
} above_t;

typedef struct {
    arena_t *a;
    gate_pin_change_t *v;
    size_t n;
    bool more;
} diff_t;

static rc_t name_place(arena_t *a, const above_t *at, str_t *out)
{
    str_t names[GATE_PIN_DEPTH];
    size_t n = 0, bytes = 1;
    for (const above_t *s = at; s && n < GATE_PIN_DEPTH; s = s->up) {
        names[n++] = s->name;
        bytes += s->name.n + 1;
    }
    buf_t b = buf_new(a, bytes);
    while (n > 0) {
        buf_put(&b, b.n > 0 ? STR(".") : STR(""));
        buf_put(&b, names[--n]);
    }
    return buf_done(&b, out);
}

static rc_t add(diff_t *d, const above_t *at, const json_t *was, const json_t *is)
{
    d->more |= d->n == GATE_PIN_CHANGES;
    if (d->more)
        return RC_OK;
    gate_pin_change_t *c = &d->v[d->n++];
    c->was = was ? was->raw : STR_UNSET;
    c->is = is ? is->raw : STR_UNSET;
    return name_place(d->a, at, &c->place);
}

static bool is_same_leaf(const json_t *was, const json_t *is)
{
    double x, y;
    if (was->type != is->type)
        return false;
    if (was->type == JSON_STRING)
        return str_eq(was->str, is->str);
    bool numbers = json_f64(was, &x) && json_f64(is, &y);
    return str_eq(was->raw, is->raw) || (numbers && x == y);
}

static rc_t compare(diff_t *d, const above_t *at, const json_t *was, const json_t *is);

static rc_t compare_members(diff_t *d, const above_t *at, const json_t *was, const json_t *is)
{
    size_t depth = at->depth + 1;
    for (const json_t *m = was->child; m; m = m->next) {
        above_t next = {at, m->key, depth};
        TRY(compare(d, &next, m, json_get(is, m->key)));
    }
    for (const json_t *m = is->child; m; m = m->next) {
        above_t next = {at, m->key, depth};
        if (!json_get(was, m->key))
            TRY(add(d, &next, NULL, m));
    }
    return RC_OK;
}

/* Lists as a whole: an entry more moves all behind it. */
static rc_t compare(diff_t *d, const above_t *at, const json_t *was, const json_t *is)
{
    bool objects = json_is(was, JSON_OBJECT) && json_is(is, JSON_OBJECT);
    if (objects && at->depth < GATE_PIN_DEPTH)
        return compare_members(d, at, was, is);
    return was && is && is_same_leaf(was, is) ? RC_OK : add(d, at, was, is);
}

/* What stands first among the changes: a schema can have as many as there is room for. */
static const str_t FIRST[] = {
    STR_INIT("name"),
    STR_INIT("title"),
    STR_INIT("description"),
    STR_INIT("annotations"),
};

enum { FIRST_COUNT = sizeof FIRST / sizeof *FIRST };

static bool is_first(str_t key)
{
    for (size_t i = 0; i < FIRST_COUNT; i++) {
        if (str_eq(key, FIRST[i]))
            return true;
    }
    return false;
}

/* One member of the definition, which at least one of both has. */
static rc_t compare_top(diff_t *d, str_t key, const json_t *was, const json_t *is)
{
    above_t at = {NULL, key, 1};
    return compare(d, &at, json_get(was, key), json_get(is, key));
}

static rc_t compare_definitions(diff_t *d, const json_t *was, const json_t *is)
{
    for (size_t i = 0; i < FIRST_COUNT; i++) {
        if (json_get(was, FIRST[i]) || json_get(is, FIRST[i]))
            TRY(compare_top(d, FIRST[i], was, is));
    }
    for (const json_t *m = was->child; m; m = m->next) {
        if (!is_first(m->key))
            TRY(compare_top(d, m->key, was, is));
    }
    for (const json_t *m = is->child; m; m = m->next) {
        if (!is_first(m->key) && !json_get(was, m->key))
            TRY(compare_top(d, m->key, was, is));
    }
    return RC_OK;
}

static rc_t parse(arena_t *a, str_t text, const json_t **out)
{
    static const json_t NOTHING = {.type = JSON_OBJECT};
    static const json_limits_t LIMITS = {GATE_PIN_TEXT_BYTES, 64, 20000};
    *out = &NOTHING;
    return text.p ? json_parse(a, text, &LIMITS, out) : RC_OK;
}

rc_t gate_pin_diff(arena_t *a, str_t was, str_t is, gate_pin_changes_t *out)
{
    const json_t *before, *after;
    diff_t d = {.a = a, .v = ARENA_ARRAY(a, GATE_PIN_CHANGES, gate_pin_change_t)};
    *out = (gate_pin_changes_t){NULL, 0, false};
    if (!d.v)
        return RC_MEMORY;
    TRY(parse(a, was, &before));
    TRY(parse(a, is, &after));
    if (!json_is(before, JSON_OBJECT) || !json_is(after, JSON_OBJECT))
        return RC_MALFORMED;
    TRY(compare_definitions(&d, before, after));
    *out = (gate_pin_changes_t){d.v, d.n, d.more};
    return RC_OK;
}
