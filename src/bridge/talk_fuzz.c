/* A conversation with a host and a server that say anything: each line is one step.
 *   h…  the host says        s3 … the server says, on tag 3      f3 2 404 … tag 3 fails (end,
 * status) u2  the stream ends      t500 time passes                    e  the host goes Every
 * request of the host gets at most one answer; what goes out is one line of JSON-RPC. */
#include "bridge/talk.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUT_BYTES = 32768, IDS = 512, RAW_BYTES = 64 };

/* How often the host has asked under an id, and been answered. */
typedef struct {
    char raw[RAW_BYTES];
    size_t n;
    int asked, answered;
} id_t_;

typedef struct {
    talk_t *t;
    arena_t *a, *check;
    random_fake_t random;
    int64_t now_ms;
    id_t_ ids[IDS];
    size_t n_ids;
} fuzz_t;

static void check(bool ok)
{
    if (!ok)
        abort();
}

static id_t_ *id_of(fuzz_t *f, str_t raw)
{
    for (size_t i = 0; i < f->n_ids; i++) {
        if (str_eq(str_of(f->ids[i].raw, f->ids[i].n), raw))
            return &f->ids[i];
    }
    if (raw.n > RAW_BYTES || f->n_ids >= IDS)
        return NULL;
    id_t_ *id = &f->ids[f->n_ids++];
    memcpy(id->raw, raw.p, raw.n);
    id->n = raw.n;
    return id;
}

static bool read_message(fuzz_t *f, str_t text, mcp_message_t *m)
{
    static const json_limits_t LIMITS = {64 << 20, 70, 4000000};
    const json_t *root = NULL;
    arena_reset(f->check);
    return json_parse(f->check, text, &LIMITS, &root) == RC_OK &&
           mcp_message_of(root, m) == MCP_NO_ERROR;
}

/* An error may come without an id; every other answer is to something that was asked. */
static void heard(fuzz_t *f, str_t line)
{
    mcp_message_t m;
    check(str_find(line, '\n', 0) == line.n && str_find(line, '\r', 0) == line.n);
    if (!read_message(f, line, &m)) {
        check(str_contains(line, STR("\"error\"")) && !m.id.p);
        return;
    }
    id_t_ *id = m.kind == MCP_RESPONSE ? id_of(f, m.id) : NULL;
    check(!id || ++id->answered <= id->asked);
}

static void sent(fuzz_t *f, const mcp_link_message_t *message)
{
    mcp_message_t m;
    check(read_message(f, message->json, &m));
    check((m.kind == MCP_REQUEST) == (message->tag != 0));
}

static void asks(fuzz_t *f, str_t line)
{
    mcp_message_t m;
    rc_t rc;
    arena_reset(f->check);
    if (mcp_message_parse(f->check, line, &m, &rc) != MCP_NO_ERROR) {
        /* It may be answered with an error under its id, if that is one. */
        id_t_ *id = m.id.p ? id_of(f, m.id) : NULL;
        if (id)
            id->asked++;
        return;
    }
    id_t_ *id = m.kind == MCP_REQUEST ? id_of(f, m.id) : NULL;
    if (id)
        id->asked++;
}

static str_t number(str_t *s, int64_t *out)
{
    int64_t n = 0;
    while (s->n && *s->p >= '0' && *s->p <= '9' && n < 1000000) {
        n = n * 10 + (*s->p - '0');
        *s = str_skip(*s, 1);
    }
    if (s->n && *s->p == ' ')
        *s = str_skip(*s, 1);
    *out = n;
    return *s;
}

static talk_fact_t fact_of(fuzz_t *f, str_t line)
{
    int64_t first = 0, end = 0, status = 0;
    talk_fact_t fact = {.kind = TALK_TIME};
    char kind = line.n ? *line.p : 't';
    str_t rest = str_skip(line, 1);
    if (kind == 'h') {
        asks(f, rest);
        return (talk_fact_t){.kind = TALK_LINE, .text = rest};
    }
    number(&rest, &first);
    fact.tag = (uint64_t)first;
    if (kind == 's') {
        fact.kind = TALK_MESSAGE;
        fact.text = rest;
    } else if (kind == 'f' || kind == 'u') {
        number(&rest, &end);
        number(&rest, &status);
        fact.kind = kind == 'f' ? TALK_FAILED : TALK_UNHEARD;
        fact.failure = (mcp_link_failure_t){.end = (mcp_link_end_t)(end % (MCP_LINK_STOPPED + 1)),
                                            .status = (int)status,
                                            .detail = rest};
    } else if (kind == 'e') {
        fact.kind = TALK_END;
    } else {
        f->now_ms += first;
    }
    return fact;
}

static void step(fuzz_t *f, str_t line)
{
    const talk_effect_t *e = NULL;
    talk_fact_t fact = fact_of(f, line);
    fact.now_ms = f->now_ms;
    arena_reset(f->a);
    check(talk_step(f->t, f->a, &fact, &e) == RC_OK);
    for (; e; e = e->next) {
        if (e->kind == TALK_SAY)
            heard(f, e->line);
        else if (e->kind == TALK_SEND)
            sent(f, &e->message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_BYTES)
        return 0;
    fuzz_t *f = calloc(1, sizeof *f);
    talk_config_t config = {.name = STR("warder"), .version = STR("0")};
    str_t rest = str_of(data, size), line;
    if (!f || size == 0) {
        free(f);
        return 0;
    }
    f->a = arena_new(TALK_ARENA_BYTES);
    f->check = arena_new(TALK_ARENA_BYTES);
    config.random = random_fake(&f->random);
    check(f->a && f->check && talk_new(&config, &f->t) == RC_OK);
    while (str_split(&rest, '\n', &line))
        step(f, line);
    talk_free(f->t);
    arena_free(f->a);
    arena_free(f->check);
    free(f);
    return 0;
}
