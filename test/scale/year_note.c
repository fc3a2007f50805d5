/* What the store holds after an act: rows, until when, and whose grant is whose. */
#include "year.h"

static void row(year_t *y, table_id_t table, int64_t until)
{
    int64_t hour = (until - YEAR_START) / HOUR_S + 1; /* the first cleaning after it */
    y->live[table]++;
    if (until > 0 && hour < y->hours)
        y->due[table][hour]++;
}

static void family_begins(act_t *act, const family_t *f)
{
    person_t *p = act->person;
    p->grant = act->serial;
    p->family_until = f->expires_at;
    p->ended = false;
    row(act->y, TABLE_FAMILY, f->expires_at);
}

static void refresh_begins(act_t *act, const refresh_t *r)
{
    act->person->refresh = r->id;
    act->person->uses = 0;
    act->person->refresh_until = r->expires_at;
    /* It is known as long as its family: reuse must end that. */
    row(act->y, TABLE_REFRESH, act->person->family_until);
}

static void everything_ends(act_t *act)
{
    act->person->ended = true;
    act->person->signed_in = 0;
    row(act->y, TABLE_REVOKED, year_now(act->y) + REVOKED_S);
}

static void note(act_t *act, const effect_t *e)
{
    year_t *y = act->y;
    person_t *p = act->person;
    switch (e->kind) {
    case EFFECT_USER_INSERT:
        row(y, TABLE_USER, 0);
        break;
    case EFFECT_CLIENT_PUT:
        p->client = act->serial;
        row(y, TABLE_CLIENT, 0);
        break;
    case EFFECT_CLIENT_INSERT:
        row(y, TABLE_CLIENT, e->u.client->expires_at);
        break;
    case EFFECT_SESSION_INSERT:
        p->signed_in = p->seen = e->at;
        row(y, TABLE_SESSION, e->u.session->expires_at);
        break;
    case EFFECT_SESSION_TOUCH:
        p->seen = e->at;
        break;
    case EFFECT_INTERACTION_INSERT:
        row(y, TABLE_INTERACTION, e->u.interaction->expires_at);
        break;
    case EFFECT_CODE_INSERT: /* kept an hour longer, to recognize a replay */
        row(y, TABLE_CODE, e->u.code->expires_at + HOUR_S);
        break;
    case EFFECT_CONSENT_PUT:
        p->approved = true;
        row(y, TABLE_CONSENT, 0);
        break;
    case EFFECT_FAMILY_INSERT:
        family_begins(act, e->u.family);
        break;
    case EFFECT_REFRESH_INSERT:
        refresh_begins(act, e->u.refresh);
        break;
    case EFFECT_PUSHED_INSERT:
        row(y, TABLE_PUSHED, e->u.pushed->expires_at);
        break;
    case EFFECT_DEVICE_INSERT:
        row(y, TABLE_DEVICE, e->u.device->expires_at);
        break;
    case EFFECT_ACCESS_TOKEN_INSERT:
        row(y, TABLE_ACCESS_TOKEN, e->u.access_token->expires_at);
        break;
    case EFFECT_SPEND:
        row(y, TABLE_SPENT, e->u.spent->expires_at);
        break;
    case EFFECT_FAMILY_REVOKE:
    case EFFECT_CONSENT_DELETE:
        p->ended = true;
        p->approved = p->approved && e->kind == EFFECT_FAMILY_REVOKE;
        row(y, TABLE_REVOKED, e->at + REVOKED_S);
        break;
    case EFFECT_USER_SET_PASSWORD:
        everything_ends(act);
        break;
    case EFFECT_REVOCATION_PUT:
        row(y, TABLE_REVOKED, e->u.revoked->expires_at);
        break;
    default:
        break;
    }
}

void year_note(act_t *act)
{
    for (size_t i = 0; i < act->effects.n; i++)
        note(act, &act->effects.v[i]);
}
