/* Cursors: where the page before ended. They hold no secret and open nothing; the hash keeps one
 * from being used with another query, or after a slip of the pen. */
#include "articles_query.h"

#include "core/b64.h"

enum { FORM = 1, CURSOR = 1 + 8 + 8 + 8 };

static uint64_t hash_list(uint64_t h, str_list_t list)
{
    for (size_t i = 0; i < list.n; i++)
        h = hash_text(h, list.v[i]);
    return hash_text(h, STR("|"));
}

static uint64_t hash_query(const articles_query_t *q, uint64_t key, uint64_t id)
{
    char numbers[64];
    buf_t b = buf_fixed(numbers, sizeof numbers);
    uint64_t h = hash_list(hash_list(FORM, q->tickers), q->topics);
    h = hash_text(hash_text(hash_text(h, q->from), q->to), q->text);
    buf_u64(&b, key);
    buf_char(&b, ' ');
    buf_u64(&b, id);
    buf_fmt(&b, " %d %d", (int)q->sort, (int)q->all_tickers);
    return hash_text(h, buf_str(&b));
}

static void put64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t get64(const uint8_t *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

str_t articles_cursor(arena_t *a, const articles_query_t *q, double key, int64_t id)
{
    uint8_t bytes[CURSOR] = {FORM};
    uint64_t bits;
    str_t out;
    buf_t b = buf_new(a, ARTICLES_CURSOR_BYTES);
    memcpy(&bits, &key, sizeof bits);
    put64(bytes + 1, bits);
    put64(bytes + 9, (uint64_t)id);
    put64(bytes + 17, hash_query(q, bits, (uint64_t)id));
    buf_b64url(&b, bytes, sizeof bytes);
    return buf_done(&b, &out) == RC_OK ? out : STR_UNSET;
}

bool articles_cursor_read(const articles_query_t *q, double *key, int64_t *id)
{
    uint8_t bytes[CURSOR];
    if (b64url_decode_to(q->cursor, bytes, sizeof bytes) != RC_OK || bytes[0] != FORM)
        return false;
    uint64_t bits = get64(bytes + 1);
    *id = (int64_t)get64(bytes + 9);
    memcpy(key, &bits, sizeof bits);
    return hash_query(q, bits, (uint64_t)*id) == get64(bytes + 17);
}
