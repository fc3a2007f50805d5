/* Who does what, and how often. One in four people is there on a day, at one hour of it: their
 * client asks for new tokens four times, after a sign-in where the grant is over. */
#include "year.h"

enum { HOURS_A_DAY = 24, FIRST_HOUR = 7, BUSY_HOURS = 12, NOT_TODAY = 24, REFRESHES = 4 };

/* One in so many. */
enum {
    THERE = 4,            /* people, on a day */
    MACHINE_TOKENS = 6,   /* tokens of a machine in an hour */
    UNUSED_CLIENTS = 500, /* people for one throw-away registration in an hour */
    SUBJECT_DAYS = 1,     /* between two people whose access an administrator ends */
    CLIENT_DAYS = 30,     /* between two clients of that fate */
};

/* Chances on a day that somebody is there, in 360: one is about four times a year. */
typedef enum {
    NEW_PASSWORD,
    WITHDRAWS,
    GIVES_BACK,
    GIVES_ONE_BACK,
    MOVES,
    WALKS_AWAY,
    REST
} deed_t;
static const unsigned CHANCES[REST] = {
    [NEW_PASSWORD] = 4,   /* ends all that they have */
    [WITHDRAWS] = 8,      /* the consent for a client */
    [GIVES_BACK] = 16,    /* the client's refresh token: "sign out" */
    [GIVES_ONE_BACK] = 4, /* one access token */
    [MOVES] = 12,         /* another installation: the grant stays and is never used again */
    [WALKS_AWAY] = 36,    /* begins a sign-in and does not end it */
};

static uint64_t dice(const year_t *y, char what, uint64_t who, int64_t when)
{
    return year_mix(y->seed ^ (uint64_t)what << 8, who, (uint64_t)when) >> 8;
}

static deed_t deed_of(const year_t *y, uint32_t who, int64_t hour)
{
    uint64_t n = dice(y, 'd', who, hour) % 360;
    for (deed_t deed = NEW_PASSWORD; deed < REST; deed++) {
        if (n < CHANCES[deed])
            return deed;
        n -= CHANCES[deed];
    }
    return REST;
}

static bool is_signed_in(const year_t *y, const person_t *p)
{
    int64_t now = year_now(y);
    return p->signed_in && now < p->signed_in + SESSION_S && now < p->seen + SESSION_IDLE_S;
}

static void sign_in(year_t *y, person_t *p, uint32_t who, int64_t hour)
{
    uint64_t n = dice(y, 's', who, hour) % 100;
    flow_id_t flow = n < 5                               ? FLOW_DEVICE
                     : n < 20                            ? FLOW_SIGN_IN_NEW
                     : p->approved && is_signed_in(y, p) ? FLOW_SIGN_IN_AGAIN
                                                         : FLOW_SIGN_IN;
    if (n >= 90) { /* the request is pushed first */
        year_begin(year_act(y, p, who, FLOW_PUSH));
        year_settle(y);
    }
    act_t *act = year_act(y, p, who, flow);
    act->refreshes = REFRESHES - 1;
    if (n == 50) { /* nobody comes for the tokens */
        act->jobs--;
        act->refreshes = 0;
    }
    year_begin(act);
}

static bool has_grant(const year_t *y, const person_t *p)
{
    return year_now(y) <= p->family_until && year_now(y) <= p->refresh_until;
}

/* A client that does not know that it is over, and must not get a token. */
static void try_what_ended(year_t *y, person_t *p, uint32_t who)
{
    act_t *act = year_act(y, p, who, FLOW_REFRESH);
    act->want = RC_CONFLICT;
    year_begin(act);
    p->family_until = 0;
}

static void use_grant(year_t *y, person_t *p, uint32_t who, deed_t deed)
{
    static const flow_id_t FLOWS[REST] = {
        [NEW_PASSWORD] = FLOW_PASSWORD,
        [WITHDRAWS] = FLOW_WITHDRAW,
        [GIVES_BACK] = FLOW_REVOKE,
        [GIVES_ONE_BACK] = FLOW_REVOKE_ACCESS,
    };
    if (deed <= GIVES_ONE_BACK) {
        year_begin(year_act(y, p, who, FLOWS[deed]));
        return;
    }
    act_t *act = year_act(y, p, who, FLOW_REFRESH);
    act->refreshes = REFRESHES - 1;
    year_begin(act);
}

static void walk_away(year_t *y, person_t *p, uint32_t who)
{
    act_t *act = year_act(y, p, who, FLOW_SIGN_IN);
    act->jobs = 1;
    year_begin(act);
}

static void person(year_t *y, uint32_t who, int64_t hour)
{
    person_t *p = &y->people[who];
    deed_t deed = deed_of(y, who, hour);
    if (deed == WALKS_AWAY)
        walk_away(y, p, who);
    else if (has_grant(y, p) && p->ended)
        try_what_ended(y, p, who);
    else if (has_grant(y, p) && deed != MOVES)
        use_grant(y, p, who, deed);
    else
        sign_in(y, p, who, hour);
}

static void machine(year_t *y, uint32_t who)
{
    /* A fourth of them gets opaque tokens, a fourth brings proofs; others leave nothing. */
    static const flow_id_t FLOWS[4] = {FLOW_MACHINE_OPAQUE, FLOW_MACHINE_BOUND, FLOW_COUNT,
                                       FLOW_COUNT};
    if (FLOWS[who % 4] == FLOW_COUNT)
        return;
    for (int i = 0; i < MACHINE_TOKENS; i++)
        year_begin(year_act(y, NULL, who, FLOWS[who % 4]));
}

/* ---- what an administrator ends, while nobody else does anything ---- */

static void end_subject(year_t *y, int64_t hour)
{
    uint32_t who = (uint32_t)(dice(y, 'S', 0, hour) % y->n_people);
    year_begin(year_act(y, &y->people[who], who, FLOW_END_SUBJECT));
    y->people[who].ended = true;
}

static void end_client(year_t *y, int64_t hour)
{
    uint32_t which = (uint32_t)(dice(y, 'C', 0, hour) % y->n_machines);
    year_begin(year_act(y, NULL, which, FLOW_END_CLIENT));
    for (uint32_t who = which; who < y->n_people; who += y->n_machines)
        if (y->people[who].client == 0)
            y->people[who].ended = true;
}

static void administrator(year_t *y, int64_t hour)
{
    int64_t day = hour / HOURS_A_DAY;
    if (hour % HOURS_A_DAY != 3)
        return;
    year_settle(y);
    if (day % SUBJECT_DAYS == 0)
        end_subject(y, hour);
    year_settle(y);
    if (day % CLIENT_DAYS == CLIENT_DAYS - 1)
        end_client(y, hour);
    year_settle(y);
}

/* ---- time passes ---- */

static void plan_day(year_t *y, int64_t day)
{
    for (uint32_t who = 0; who < y->n_people; who++) {
        uint64_t n = dice(y, 'h', who, day);
        bool there = n % THERE == 0;
        y->people[who].hour =
            there ? (uint8_t)(FIRST_HOUR + n / THERE % BUSY_HOURS) : (uint8_t)NOT_TODAY;
    }
}

void year_hour(year_t *y, int64_t hour)
{
    if (hour % HOURS_A_DAY == 0)
        plan_day(y, hour / HOURS_A_DAY);
    administrator(y, hour);
    for (uint32_t i = 0; i < (y->n_people + UNUSED_CLIENTS - 1) / UNUSED_CLIENTS; i++)
        year_begin(year_act(y, NULL, i, FLOW_REGISTER_STORED));
    for (uint32_t who = 0; who < y->n_machines; who++)
        machine(y, who);
    for (uint32_t who = 0; who < y->n_people; who++)
        if (y->people[who].hour == hour % HOURS_A_DAY)
            person(y, who, hour);
}

void year_people(year_t *y)
{
    for (uint32_t who = 0; who < y->n_people; who++)
        year_begin(year_act(y, NULL, who, FLOW_ADD_USER));
    for (uint32_t who = 0; who < y->n_machines; who++)
        year_begin(year_act(y, NULL, who, FLOW_ADD_CLIENT));
    year_settle(y);
}
