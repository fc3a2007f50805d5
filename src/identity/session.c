#include "identity/session.h"

#include "identity/handle.h"

enum { TOUCH_S = 60 };

static const str_t PREFIX = STR_INIT("wss_");

rc_t identity_session_handle(arena_t *a, const random_port_t *random, str_t *out)
{
    return identity_handle_new(a, random, PREFIX, out);
}

bool identity_session_is_handle(str_t text)
{
    return identity_handle_has_form(text, PREFIX);
}

hash_t identity_session_hash(str_t handle)
{
    return identity_handle_hash(handle);
}

static void fill_session(session_t *s, const identity_session_login_t *login, str_t handle)
{
    *s = (session_t){
        .id = identity_session_hash(handle),
        .user_id = login->user_id,
        .acr = login->acr,
        .auth_time = login->auth_time ? login->auth_time : login->now,
        .created_at = login->now,
        .seen_at = login->now,
        .expires_at = login->now + login->times.lifetime,
    };
}

rc_t identity_session_begin(arena_t *a, const identity_session_login_t *login, effects_t *effects,
                            const session_t **session, str_t *handle)
{
    session_t *fresh = ARENA_NEW(a, session_t);
    hash_t *ended = ARENA_NEW(a, hash_t);
    if (!fresh || !ended)
        return RC_MEMORY;
    TRY(identity_session_handle(a, login->random, handle));
    fill_session(fresh, login, *handle);
    if (login->before) {
        *ended = login->before->id;
        effects_add(effects, EFFECT_SESSION_DELETE, login->now)->u.hash = ended;
    }
    effects_add(effects, EFFECT_SESSION_INSERT, login->now)->u.session = fresh;
    if (session)
        *session = fresh;
    return RC_OK;
}

static int64_t later(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

/* The clock has been at both times of the session, whatever it says now. */
bool identity_session_is_live(const session_t *s, const identity_session_times_t *times,
                              int64_t now)
{
    if (!s)
        return false;
    now = later(now, later(s->created_at, s->seen_at));
    return now < s->expires_at && now - s->seen_at < times->idle;
}

/* A last use in the future is noted anew too: else it would not idle away until then. */
rc_t identity_session_touch(arena_t *a, const session_t *s, int64_t now, effects_t *effects)
{
    if (s->seen_at >= now - TOUCH_S && s->seen_at <= now + TOUCH_S)
        return RC_OK;
    session_t *touched = ARENA_NEW(a, session_t);
    if (!touched)
        return RC_MEMORY;
    *touched = *s;
    touched->seen_at = now;
    effects_add(effects, EFFECT_SESSION_TOUCH, now)->u.session = touched;
    return RC_OK;
}
