/* Whether who was let in may stay, for streams. */
#include "core/limits.h"
#include "proxy/access_object.h"

enum { TEXTS = 4 /* of a principal whose life is asked for */ };

/* Slices as C strings, one behind the other in `to`. */
static bool copy_texts(char *to, size_t room, const str_t from[TEXTS], const char *out[TEXTS])
{
    for (size_t i = 0; i < TEXTS; i++) {
        if (from[i].n >= room)
            return false;
        if (from[i].n > 0)
            memcpy(to, from[i].p, from[i].n);
        to[from[i].n] = '\0';
        out[i] = to;
        to += from[i].n + 1;
        room -= from[i].n + 1;
    }
    return true;
}

bool access_lives(access_t *a, const gate_principal_t *who)
{
    bool due = false;
    char bytes[LIMIT_JWS_BYTES];
    const char *texts[TEXTS];
    const str_t from[TEXTS] = {who->issuer, who->subject, who->client, who->token};
    if (!copy_texts(bytes, sizeof bytes, from, texts))
        return false;
    const warder_rs_token_t token = {texts[0], texts[1],       texts[2],
                                     texts[3], who->issued_at, who->expires_at};
    bool lives = warder_rs_lives(a->rs, &token, &due);
    if (due)
        access_refresh_early(a);
    return lives;
}

bool access_asks(const access_t *a, str_t token)
{
    return rs_check_asks(a->rs, token);
}

access_still_t access_still(access_t *a, str_t token)
{
    static const access_still_t STILL[] = {[WARDER_RS_STILL] = ACCESS_STILL,
                                           [WARDER_RS_ENDED] = ACCESS_ENDED,
                                           [WARDER_RS_UNSURE] = ACCESS_UNSURE};
    bool due = false, full = false;
    arena_t *work = arena_new(LIMIT_REQUEST_ARENA_BYTES);
    warder_rs_still_t still =
        work ? rs_check_still(a->rs, work, token, &due, &full) : WARDER_RS_UNSURE;
    arena_free(work);
    if (due)
        access_refresh_early(a);
    return full ? ACCESS_LATER : STILL[still];
}
