#include "oauth/sealed_content.h"

#include "core/buf.h"
#include "core/limits.h"

/* Of what is sealed. Numbers never change their meaning: ids live for ever. */
enum {
    VERSION = 1,
    FLAG_NATIVE = 1,
    FLAG_DPOP = 2,
    FLAG_PAR = 4,
    PLAIN = 0x80, /* beside a tag: the text stands as it is */
    FIRST_CODE = 1,
    LAST_CODE = 31,
    MAX_CONTENT = LIMIT_CLIENT_ID_BYTES,
};

/* One byte each for what registrations are full of. Neither URIs nor cleaned names hold such bytes;
 * a text that does is not packed. Only ever append; the longer of two that begin alike first. */
static const str_t WORDS[] = {
    STR_INIT("http://127.0.0.1:"),
    STR_INIT("http://127.0.0.1"),
    STR_INIT("http://localhost:"),
    STR_INIT("http://localhost"),
    STR_INIT("http://[::1]"),
    STR_INIT("https://www."),
    STR_INIT("https://"),
    STR_INIT("/oauth/callback"),
    STR_INIT("/callback"),
    STR_INIT("/oauth"),
    STR_INIT("/auth"),
    STR_INIT("redirect"),
    STR_INIT(".com/"),
    STR_INIT(".dev/"),
    STR_INIT(".com"),
    STR_INIT("{\"keys\":[{"),
    STR_INIT("\"kty\":\""),
    STR_INIT("\"kid\":\""),
    STR_INIT("\"alg\":\""),
    STR_INIT("\"use\":\"sig\""),
};

enum { N_WORDS = sizeof WORDS / sizeof WORDS[0] };
_Static_assert(sizeof WORDS / sizeof WORDS[0] <= LAST_CODE, "each word has a code");

/* TEXT(number, member): texts of the record, each with its tag. */
#define TEXTS(TEXT)                                                                                \
    TEXT(2, name)                                                                                  \
    TEXT(3, client_uri)                                                                            \
    TEXT(4, logo_uri)                                                                              \
    TEXT(5, tos_uri)                                                                               \
    TEXT(6, policy_uri)                                                                            \
    TEXT(7, software_id)                                                                           \
    TEXT(8, software_version)                                                                      \
    TEXT(9, jwks)                                                                                  \
    TEXT(10, jwks_uri)

enum { TAG_REDIRECT_URI = 1, TAG_CONTACT = 11 };

static const struct {
    uint8_t tag;
    size_t offset;
} TEXT_ROWS[] = {
#define TEXT(number, member) {number, offsetof(client_t, member)},
    TEXTS(TEXT)
#undef TEXT
};

enum { N_TEXTS = sizeof TEXT_ROWS / sizeof TEXT_ROWS[0] };

/* Writing. */

/* Seven bits a byte, the lowest first; the top bit says that more follow. */
static void put_number(buf_t *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_char(b, (char)(v | 0x80));
    buf_char(b, (char)v);
}

static bool has_codes(str_t text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] <= LAST_CODE)
            return true;
    return false;
}

static size_t word_at(str_t text)
{
    size_t i = 0;
    while (i < N_WORDS && !str_starts(text, WORDS[i]))
        i++;
    return i;
}

static rc_t pack(arena_t *a, str_t text, str_t *out)
{
    buf_t b = buf_new(a, MAX_CONTENT);
    while (text.n > 0) {
        size_t word = word_at(text);
        buf_char(&b, word < N_WORDS ? (char)(FIRST_CODE + word) : text.p[0]);
        text = str_skip(text, word < N_WORDS ? WORDS[word].n : 1);
    }
    return buf_done(&b, out);
}

static rc_t put_text(arena_t *a, buf_t *b, uint8_t tag, str_t text)
{
    bool plain = has_codes(text);
    if (!str_is_set(text))
        return RC_OK;
    if (!plain)
        TRY(pack(a, text, &text));
    buf_char(b, (char)(tag | (plain ? PLAIN : 0)));
    put_number(b, text.n);
    buf_put(b, text);
    return b->failed;
}

static rc_t put_list(arena_t *a, buf_t *b, uint8_t tag, str_list_t list)
{
    for (size_t i = 0; i < list.n; i++)
        TRY(put_text(a, b, tag, list.v[i]));
    return RC_OK;
}

rc_t oauth_sealed_content_write(arena_t *a, const client_t *c, str_t *out)
{
    buf_t b = buf_new(a, MAX_CONTENT);
    buf_char(&b, VERSION);
    buf_char(&b, (char)((c->type == CLIENT_NATIVE ? FLAG_NATIVE : 0) |
                        (c->dpop_bound ? FLAG_DPOP : 0) | (c->par_required ? FLAG_PAR : 0)));
    buf_char(&b, (char)c->auth);
    put_number(&b, c->grants);
    put_number(&b, (uint64_t)c->created_at);
    TRY(put_list(a, &b, TAG_REDIRECT_URI, c->redirect_uris));
    for (size_t i = 0; i < N_TEXTS; i++)
        TRY(put_text(a, &b, TEXT_ROWS[i].tag,
                     *(const str_t *)(const void *)((const char *)c + TEXT_ROWS[i].offset)));
    TRY(put_list(a, &b, TAG_CONTACT, c->contacts));
    return buf_done(&b, out);
}

/* Reading. */

typedef struct {
    arena_t *a;
    str_t rest;
    client_t *client;
    str_t *uris, *contacts;
    size_t n_uris, n_contacts;
} reader_t;

static bool take_byte(str_t *rest, uint8_t *out)
{
    if (rest->n == 0)
        return false;
    *out = (uint8_t)rest->p[0];
    *rest = str_skip(*rest, 1);
    return true;
}

static bool take_number(str_t *rest, uint64_t *out)
{
    uint8_t byte = 0x80;
    *out = 0;
    for (unsigned shift = 0; byte & 0x80; shift += 7) {
        if (shift > 56 || !take_byte(rest, &byte))
            return false;
        *out |= (uint64_t)(byte & 0x7f) << shift;
    }
    return true;
}

static rc_t unpack(arena_t *a, str_t text, str_t *out)
{
    enum { LONGEST = 17 };
    buf_t b = buf_new(a, text.n * LONGEST + 1);
    for (size_t i = 0; i < text.n; i++) {
        size_t code = (unsigned char)text.p[i];
        if (code > LAST_CODE)
            buf_char(&b, text.p[i]);
        else if (code < FIRST_CODE || code - FIRST_CODE >= N_WORDS)
            return RC_MALFORMED;
        else
            buf_put(&b, WORDS[code - FIRST_CODE]);
    }
    *out = STR("");
    return text.n ? buf_done(&b, out) : RC_OK;
}

static rc_t take_text(reader_t *r, uint8_t *tag, str_t *text)
{
    uint64_t n;
    if (!take_byte(&r->rest, tag) || !take_number(&r->rest, &n) || n > r->rest.n)
        return RC_MALFORMED;
    *text = str_first(r->rest, n);
    r->rest = str_skip(r->rest, n);
    if (!(*tag & PLAIN))
        return unpack(r->a, *text, text);
    *tag &= (uint8_t)~PLAIN;
    return RC_OK;
}

static rc_t set_text(reader_t *r, uint8_t tag, str_t text)
{
    for (size_t i = 0; i < N_TEXTS; i++) {
        if (TEXT_ROWS[i].tag != tag)
            continue;
        *(str_t *)(void *)((char *)r->client + TEXT_ROWS[i].offset) = text;
        return RC_OK;
    }
    if (tag == TAG_REDIRECT_URI && r->n_uris < LIMIT_REDIRECT_URIS)
        r->uris[r->n_uris++] = text;
    else if (tag == TAG_CONTACT && r->n_contacts < LIMIT_CLIENT_CONTACTS)
        r->contacts[r->n_contacts++] = text;
    else
        return RC_MALFORMED;
    return RC_OK;
}

static rc_t read_head(reader_t *r)
{
    uint8_t version, flags, auth;
    uint64_t grants, created_at;
    client_t *c = r->client;
    if (!take_byte(&r->rest, &version) || version != VERSION || !take_byte(&r->rest, &flags) ||
        !take_byte(&r->rest, &auth) || auth > CLIENT_AUTH_PRIVATE_KEY_JWT ||
        !take_number(&r->rest, &grants) || grants > UINT32_MAX ||
        !take_number(&r->rest, &created_at) || created_at > INT64_MAX)
        return RC_MALFORMED;
    c->type = flags & FLAG_NATIVE ? CLIENT_NATIVE : CLIENT_WEB;
    c->dpop_bound = flags & FLAG_DPOP;
    c->par_required = flags & FLAG_PAR;
    c->auth = (client_auth_t)auth;
    c->grants = (uint32_t)grants;
    c->created_at = (int64_t)created_at;
    return RC_OK;
}

rc_t oauth_sealed_content_read(arena_t *a, str_t content, client_t *client)
{
    reader_t r = {.a = a, .rest = content, .client = client};
    r.uris = ARENA_ARRAY(a, LIMIT_REDIRECT_URIS, str_t);
    r.contacts = ARENA_ARRAY(a, LIMIT_CLIENT_CONTACTS, str_t);
    if (!r.uris || !r.contacts)
        return RC_MEMORY;
    TRY(read_head(&r));
    while (r.rest.n > 0) {
        uint8_t tag;
        str_t text;
        TRY(take_text(&r, &tag, &text));
        TRY(set_text(&r, tag, text));
    }
    client->redirect_uris = (str_list_t){r.uris, r.n_uris};
    client->contacts = (str_list_t){r.contacts, r.n_contacts};
    return RC_OK;
}
