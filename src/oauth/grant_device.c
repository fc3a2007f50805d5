#include "oauth/grant.h"
#include "oauth/mint.h"

/* Added to the interval at each hasty poll (RFC 8628 section 3.5). */
enum { SLOWER_S = 5 };

static oauth_reason_t check_state(const oauth_token_facts_t *f)
{
    const device_t *device = f->device;
    if (!f->request->has_hash)
        return OAUTH_DEVICE_CODE_MISSING;
    if (!device)
        return OAUTH_DEVICE_CODE_UNKNOWN;
    if (!str_eq(device->client_id, f->client->id))
        return OAUTH_DEVICE_CODE_OTHER_CLIENT;
    if (str_is_set(device->dpop_jkt) && !str_eq(device->dpop_jkt, oauth_token_jkt(f)))
        return OAUTH_DEVICE_CODE_OTHER_KEY;
    if (device->state == DEVICE_CONSUMED)
        return OAUTH_DEVICE_CODE_USED;
    if (device->state == DEVICE_DENIED)
        return OAUTH_DEVICE_DENIED;
    if (f->now >= device->expires_at)
        return OAUTH_DEVICE_CODE_EXPIRED;
    return device->state == DEVICE_PENDING ? OAUTH_DEVICE_PENDING : OAUTH_FINE;
}

/* Still nothing. Polls leave no event: they come every few seconds and decide nothing. */
static rc_t wait(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    device_t *polled = ARENA_NEW(a, device_t);
    if (!polled)
        return RC_MEMORY;
    *polled = *f->device;
    polled->polled_at = f->now;
    out->quiet = true;
    if (f->device->polled_at != 0 && f->now - f->device->polled_at < f->device->interval_s) {
        out->reason = OAUTH_DEVICE_SLOW_DOWN;
        polled->interval_s += SLOWER_S;
    }
    effects_add(&out->effects, EFFECT_DEVICE_POLL, f->now)->u.device = polled;
    return RC_OK;
}

static rc_t redeem(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    const device_t *device = f->device;
    const family_t grant = {
        .id = device->family_id,
        .user_id = device->user_id,
        .scope = device->scope,
        .resource = device->resource,
        .auth_time = device->auth_time,
        .acr = device->acr,
        .redirect_uri = STR(""),
    };
    effects_add(&out->effects, EFFECT_DEVICE_CONSUME, f->now)->u.hash = &device->id;
    return oauth_mint_family(a, f, &grant, out);
}

rc_t oauth_grant_device(arena_t *a, const oauth_token_facts_t *f, oauth_token_verdict_t *out)
{
    out->reason = check_state(f);
    if (out->reason == OAUTH_DEVICE_PENDING)
        return wait(a, f, out);
    if (f->device && f->device->state != DEVICE_PENDING) {
        out->event.user = f->device->user_id;
        out->event.family = f->device->family_id;
    }
    if (out->reason == OAUTH_FINE)
        TRY(oauth_mint_check_use(a, f, f->device->resource, out));
    return out->reason == OAUTH_FINE ? redeem(a, f, out) : RC_OK;
}
