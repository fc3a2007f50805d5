/* argon2id by libsodium. Its crypto_pwhash_str_verify calls lack of memory a wrong password, so the
 * stored text is taken apart here and hashed by crypto_pwhash, which tells the two apart. */
#include "identity/password.h"

#include "core/limits.h"
#include "core/num.h"
#include "core/ports.h"

#include <sodium.h>

_Static_assert(IDENTITY_PASSWORD_TEXT >= crypto_pwhash_argon2id_STRBYTES, "room for a hash");

enum { SALT_BYTES = crypto_pwhash_argon2id_SALTBYTES, HASH_BYTES = 32, KIB = 1024, KIB_MIN = 8 };

typedef struct {
    identity_password_cost_t cost;
    uint8_t salt[SALT_BYTES];
    uint8_t hash[HASH_BYTES];
} parts_t;

static bool take(str_t *rest, str_t prefix)
{
    if (!str_starts(*rest, prefix))
        return false;
    *rest = str_skip(*rest, prefix.n);
    return true;
}

/* "m=32768,t=3,p=1": KiB, passes, and one lane, which is all that libsodium makes. */
static bool parse_cost(str_t text, identity_password_cost_t *out)
{
    str_t memory, passes;
    uint64_t m, t;
    if (!take(&text, STR("m=")) || !str_split(&text, ',', &memory))
        return false;
    if (!take(&text, STR("t=")) || !str_split(&text, ',', &passes) || !str_eq(text, STR("p=1")))
        return false;
    if (!num_u64(memory, UINT32_MAX / KIB, &m) || !num_u64(passes, UINT32_MAX, &t))
        return false;
    *out = (identity_password_cost_t){.passes = (uint32_t)t, .memory = (uint32_t)m * KIB};
    return m >= KIB_MIN && t >= 1;
}

/* libsodium's decoder takes some bytes above 0x7f for letters, so those are refused before. */
static bool decode(str_t text, uint8_t *out, size_t n)
{
    size_t got = 0;
    if (text.n == 0 || !str_is_printable_ascii(text))
        return false;
    return sodium_base642bin(out, n, text.p, text.n, NULL, &got, NULL,
                             sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
           got == n;
}

static bool parse(str_t stored, parts_t *out)
{
    str_t cost, salt;
    if (!take(&stored, STR("$argon2id$v=19$")) || !str_split(&stored, '$', &cost))
        return false;
    if (!parse_cost(cost, &out->cost) || !str_split(&stored, '$', &salt))
        return false;
    return decode(salt, out->salt, SALT_BYTES) && decode(stored, out->hash, HASH_BYTES);
}

static bool length_fits(secret_t password)
{
    return password.hidden.n >= IDENTITY_PASSWORD_BYTES_MIN &&
           password.hidden.n <= LIMIT_PASSWORD_BYTES;
}

/* libsodium ends the whole program where the system gives no random bytes: ask first. */
static rc_t be_ready(void)
{
    random_port_t random = random_system();
    uint8_t probe[SALT_BYTES];
    TRY(random.fill(random.ctx, probe, sizeof probe));
    return sodium_init() < 0 ? RC_IO : RC_OK;
}

rc_t identity_password_hash(const identity_password_cost_t *cost, secret_t password,
                            identity_password_hash_t *out)
{
    *out = (identity_password_hash_t){{0}};
    if (!length_fits(password))
        return RC_LIMIT;
    TRY(be_ready());
    if (crypto_pwhash_argon2id_str(out->text, password.hidden.p, password.hidden.n, cost->passes,
                                   cost->memory) != 0)
        return RC_MEMORY;
    return RC_OK;
}

rc_t identity_password_verify(const identity_password_cost_t *cost, str_t stored, secret_t password,
                              bool *fits)
{
    parts_t parts;
    uint8_t hash[HASH_BYTES];
    *fits = false;
    if (!length_fits(password))
        return RC_OK;
    TRY(be_ready());
    bool can_fit = parse(stored, &parts);
    if (!can_fit)
        parts = (parts_t){.cost = *cost};
    if (crypto_pwhash(hash, sizeof hash, password.hidden.p, password.hidden.n, parts.salt,
                      parts.cost.passes, parts.cost.memory, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return RC_MEMORY;
    bool same = str_eq_ct(str_of(hash, sizeof hash), str_of(parts.hash, sizeof parts.hash));
    secret_wipe(hash, sizeof hash);
    *fits = can_fit && same;
    return RC_OK;
}

bool identity_password_needs_rehash(const identity_password_cost_t *cost, str_t stored)
{
    parts_t parts;
    return !parse(stored, &parts) || parts.cost.passes != cost->passes ||
           parts.cost.memory / KIB != cost->memory / KIB;
}
