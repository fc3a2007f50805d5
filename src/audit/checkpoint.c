#include "audit/checkpoint.h"

#include "core/b64.h"
#include "core/limits.h"

#define CONTEXT STR("warder audit checkpoint 1\n")

static void put_line(buf_t *b, str_t name, str_t value)
{
    buf_put(b, name);
    buf_put(b, value);
    buf_char(b, '\n');
}

void audit_checkpoint_text(buf_t *b, const audit_checkpoint_t *c)
{
    buf_put(b, CONTEXT);
    buf_put(b, STR("chain "));
    buf_hex(b, c->chain.bytes, sizeof c->chain.bytes);
    buf_put(b, STR("\nhead "));
    audit_head_write(b, &c->head);
    buf_char(b, '\n');
    put_line(b, STR("time "), c->time);
    put_line(b, STR("key "), c->kid);
}

static bool take_line(str_t *rest, str_t name, str_t *value)
{
    if (!str_split(rest, '\n', value) || !str_is_set(*rest) || !str_starts(*value, name))
        return false;
    *value = str_skip(*value, name.n);
    return str_is_printable_ascii(*value);
}

static bool is_time(str_t time)
{
    char again[AUDIT_TIME_BYTES];
    if (time.n != AUDIT_TIME_BYTES)
        return false;
    audit_time_format(audit_time_parse(time), again);
    return str_eq(time, str_of(again, sizeof again));
}

static bool is_zero(const uint8_t bytes[SHA256_BYTES])
{
    uint8_t any = 0;
    for (size_t i = 0; i < SHA256_BYTES; i++)
        any |= bytes[i];
    return any == 0;
}

bool audit_checkpoint_read_text(str_t bytes, str_t kid, audit_checkpoint_t *out)
{
    str_t nothing, chain, head, rest = bytes;
    *out = (audit_checkpoint_t){.signature = STR_UNSET};
    if (!take_line(&rest, str_first(CONTEXT, CONTEXT.n - 1), &nothing) || nothing.n > 0 ||
        !take_line(&rest, STR("chain "), &chain) || !audit_hash_parse(chain, out->chain.bytes) ||
        !take_line(&rest, STR("head "), &head) || !audit_head_parse(head, &out->head) ||
        !take_line(&rest, STR("time "), &out->time) || !is_time(out->time) ||
        !take_line(&rest, STR("key "), &out->kid))
        return false;
    out->chain.known = !is_zero(out->chain.bytes);
    return str_eq(out->kid, kid) && rest.n == 0;
}

static void member_hex(json_writer_t *w, str_t name, const uint8_t bytes[SHA256_BYTES])
{
    char text[AUDIT_HASH_HEX];
    buf_t b = buf_fixed(text, sizeof text);
    buf_hex(&b, bytes, SHA256_BYTES);
    json_member_str(w, name, buf_str(&b));
}

static void member_head(json_writer_t *w, const audit_head_t *head)
{
    char text[AUDIT_HASH_HEX + 32];
    buf_t b = buf_fixed(text, sizeof text);
    audit_head_write(&b, head);
    json_member_str(w, STR("head"), buf_str(&b));
}

static json_writer_t begin(buf_t *b, str_t time, audit_kind_t kind)
{
    json_writer_t w = json_writer(b);
    json_begin_object(&w);
    json_member_str(&w, STR("time"), time);
    json_member_str(&w, STR("event"), audit_kind_name(kind));
    json_member_str(&w, STR("decision"), STR("allow"));
    return w;
}

static rc_t end(json_writer_t *w, str_t *out)
{
    json_end_object(w);
    TRY(buf_done(w->buf, out));
    *out = str_of(out->p + 1, out->n - 2);
    return RC_OK;
}

rc_t audit_checkpoint_body(buf_t *b, const audit_checkpoint_t *c, const audit_signer_t *signer,
                           str_t *out)
{
    char text[1024], encoded[2 * KEY_SIGNATURE_MAX];
    buf_t input = buf_fixed(text, sizeof text), signature = buf_fixed(encoded, sizeof encoded);
    signature_t made;
    str_t bytes;
    audit_checkpoint_text(&input, c);
    TRY(buf_done(&input, &bytes));
    TRY(signer->sign(signer->ctx, bytes, &made));
    buf_b64url(&signature, made.b, made.n);
    json_writer_t w = begin(b, c->time, AUDIT_CHECKPOINT);
    member_hex(&w, STR("chain"), c->chain.bytes);
    member_head(&w, &c->head);
    json_member_str(&w, STR("key"), c->kid);
    json_member_str(&w, STR("signature"), buf_str(&signature));
    return end(&w, out);
}

bool audit_checkpoint_read(const audit_record_t *r, audit_checkpoint_t *out)
{
    if (!str_eq(r->event, audit_kind_name(AUDIT_CHECKPOINT)))
        return false;
    out->time = r->time;
    out->kid = json_get_str(r->json, STR("key"));
    out->signature = json_get_str(r->json, STR("signature"));
    if (out->kid.n == 0 || out->kid.n > LIMIT_KID_BYTES || !str_is_printable_ascii(out->kid) ||
        out->signature.n == 0 || out->signature.n > 2 * KEY_SIGNATURE_MAX ||
        !audit_head_parse(json_get_str(r->json, STR("head")), &out->head) ||
        !audit_hash_parse(json_get_str(r->json, STR("chain")), out->chain.bytes))
        return false;
    out->chain.known = !is_zero(out->chain.bytes);
    return true;
}

static bool is_signed(const audit_checkpoint_t *c, const jwk_t *key)
{
    char text[1024];
    uint8_t signature[KEY_SIGNATURE_MAX];
    str_t bytes;
    buf_t b = buf_fixed(text, sizeof text);
    audit_checkpoint_text(&b, c);
    size_t n = c->signature.n / 4 * 3 + (c->signature.n % 4 > 1 ? c->signature.n % 4 - 1 : 0);
    return buf_done(&b, &bytes) == RC_OK && n <= sizeof signature &&
           b64url_decode_to(c->signature, signature, n) == RC_OK &&
           jose_key_verify(key->key, key->alg, bytes, str_of(signature, n));
}

/* A thumbprint names one key, whatever its algorithm. */
static const jwk_t *find(const jwks_t *keys, str_t kid)
{
    for (size_t i = 0; i < keys->n; i++)
        if (str_eq(keys->v[i].kid, kid))
            return &keys->v[i];
    return NULL;
}

audit_fault_t audit_checkpoint_judge(const audit_record_t *r, const audit_checkpoint_t *c,
                                     const audit_name_t *chain, const jwks_t *keys)
{
    if (c->head.seq + 1 != r->seq || memcmp(c->head.hash, r->prev, sizeof r->prev) != 0)
        return AUDIT_FAULT_CHECKPOINT_MALFORMED;
    if (chain->known && c->chain.known &&
        memcmp(chain->bytes, c->chain.bytes, sizeof chain->bytes) != 0)
        return AUDIT_FAULT_CHECKPOINT_CHAIN;
    if (!keys)
        return AUDIT_FAULT_NONE;
    const jwk_t *key = find(keys, c->kid);
    if (!key)
        return AUDIT_FAULT_CHECKPOINT_KEY;
    return is_signed(c, key) ? AUDIT_FAULT_NONE : AUDIT_FAULT_CHECKPOINT_FORGED;
}

rc_t audit_deleted_body(buf_t *b, const audit_deleted_t *d, int64_t now_ms, str_t *out)
{
    char time[AUDIT_TIME_BYTES];
    audit_time_format(now_ms, time);
    json_writer_t w = begin(b, str_of(time, sizeof time), AUDIT_RETENTION);
    json_member_str(&w, STR("file"), d->file);
    member_head(&w, &d->head);
    return end(&w, out);
}

bool audit_deleted_read(const audit_record_t *r, audit_deleted_t *out)
{
    out->file = json_get_str(r->json, STR("file"));
    return str_eq(r->event, audit_kind_name(AUDIT_RETENTION)) && str_is_set(out->file) &&
           audit_head_parse(json_get_str(r->json, STR("head")), &out->head);
}

/* ---- a signer of this process ---- */

static rc_t sign(void *ctx, str_t bytes, signature_t *out)
{
    return jose_signing_sign(ctx, bytes, out->b, &out->n);
}

static void free_signing(void *signing)
{
    jose_signing_free(signing);
}

rc_t audit_signer_make(arena_t *a, jose_key_t *key, audit_signer_t *out)
{
    jose_signing_t *signing;
    key_kind_t kind = jose_key_kind(key);
    if (kind == KEY_RSA)
        return RC_MALFORMED;
    TRY(jose_signing_new(key, kind == KEY_ED25519 ? ALG_EDDSA : ALG_ES256, &signing));
    TRY(arena_cleanup(a, free_signing, signing));
    *out = (audit_signer_t){.sign = sign, .ctx = signing};
    return jwk_thumbprint(a, key, &out->kid);
}
