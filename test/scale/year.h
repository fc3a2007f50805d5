/* A year of a large deployment, made smaller: people, clients and machines with habits, whose deeds
 * (flows.def) go to a real store under a clock that is set. What the store must then hold is known
 * here to the row. All is decided by the seed, whatever the order in which the store answers. */
#ifndef SCALE_YEAR_H
#define SCALE_YEAR_H

#include "store/upkeep.h"

#include <pthread.h>

/* The deployment that is simulated. */
enum { YEAR_PEOPLE = 10000000, YEAR_CLIENTS = 100000, YEAR_NODES = 1000 };
enum {
    YEAR_START = 1700006400, /* a midnight */
    HOUR_S = 3600,
    DAY_S = 86400,
    WEEK_HOURS = 168,
    WEEKS_MAX = 53,
    TEXT_BYTES = 24,
    ACTS_MAX = 1024, /* that go on at once */
};

/* Lifetimes: the defaults of the settings. */
enum {
    IDLE_S = 30 * DAY_S,
    GRANT_S = 180 * DAY_S,
    SESSION_S = 7 * DAY_S,
    SESSION_IDLE_S = 12 * HOUR_S,
    CODE_S = 60,
    INTERACTION_S = 600,
    PUSHED_S = 690,
    DEVICE_S = 600,
    ACCESS_S = 600,
    SPENT_S = 300,
    UNUSED_CLIENT_S = DAY_S,
    REVOKED_S = HOUR_S,
    UNUSED_S = 90 * DAY_S, /* client_unused_lifetime, made shorter so that a year shows its end */
};

typedef enum {
#define FLOW(name, about, effects) FLOW_##name,
#include "flows.def"
#undef FLOW
    /* What only the administrator does, or the person to an account. */
    FLOW_PASSWORD,
    FLOW_WITHDRAW,
    FLOW_END_SUBJECT,
    FLOW_END_CLIENT,
    FLOW_ADD_USER,
    FLOW_ADD_CLIENT,
    FLOW_COUNT
} flow_id_t;

typedef struct year year_t;

/* A person, with the one grant that is in use; those before it only lie in the store. */
typedef struct {
    uint32_t acts;  /* begun so far: names differ by it */
    uint32_t grant; /* the act that made it */
    hash_t refresh;
    uint32_t uses;
    int64_t family_until, refresh_until; /* 0: there is no grant */
    int64_t signed_in, seen;             /* when; the session */
    bool ended;                          /* the store knows that the grant is over */
    bool approved;                       /* there is a consent for the client in use */
    uint8_t hour;                        /* of today; 24: does nothing */
    uint32_t client; /* the act that registered the client in use; 0: one of the common ones */
} person_t;

/* One flow on its way: one transaction after the other. */
typedef struct act {
    year_t *y;
    person_t *person; /* NULL: of a machine or of nobody */
    uint32_t who;     /* its number */
    uint32_t serial;  /* of who's acts */
    flow_id_t flow;
    size_t job, jobs;   /* next one; do as many */
    unsigned refreshes; /* that follow */
    rc_t want;          /* the answer of the last job */
    effects_t effects;
    union record {
        client_t client;
        user_t user;
        session_t session;
        interaction_t interaction;
        code_t code;
        family_t family;
        refresh_t refresh;
        consent_t consent;
        pushed_t pushed;
        device_t device;
        access_token_t access_token;
        spent_t spent;
        revoked_t revoked;
        hash_t hash;
    } records[EFFECTS_MAX];
    char texts[EFFECTS_MAX * 4][TEXT_BYTES];
    size_t n_texts;
} act_t;

/* What is posted by the store waits here for the one thread. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct {
        void (*fn)(void *arg);
        void *arg;
    } queue[4 * ACTS_MAX];
    size_t first, n;
} year_loop_t;

struct year {
    uint64_t seed, divisor;
    unsigned weeks;
    clock_fake_t clock;
    store_t *store;
    store_conn_t *conn;
    struct year_server *server; /* NULL: the store has none */
    year_loop_t loop;
    arena_t *a;
    person_t *people;
    uint32_t n_people, n_machines, n_nodes, machine_acts;
    act_t acts[ACTS_MAX], *free[ACTS_MAX]; /* those from n_open on */
    size_t n_open;

    /* Rows that must be there, and those that end in each hour. */
    int64_t live[TABLE_COUNT];
    int32_t *due[TABLE_COUNT];
    int64_t hours;
    uint64_t jobs, deleted, forgotten;
    int64_t apply_us, clean_us;
    unsigned wrong; /* what was not as it must be */
};

/* year_acts.c */
/** A place for a new act, waiting for one where it must. */
act_t *year_act(year_t *y, person_t *person, uint32_t who, flow_id_t flow);
/** Begins it; it goes on by itself. */
void year_begin(act_t *act);
/** Waits until no act is open. */
void year_settle(year_t *y);
/** A call that blocks. */
rc_t year_apply(year_t *y, const effects_t *effects);
rc_t year_expire(year_t *y, uint32_t limit, size_t *deleted);
/** Clients and consents that nobody used for UNUSED_S; *looked as store_forget's. */
rc_t year_forget(year_t *y, uint32_t limit, size_t *forgotten, size_t *looked);
rc_t year_ask(year_t *y, ask_t *ask);
post_port_t year_port(year_t *y);
int64_t year_now(const year_t *y);
uint64_t year_mix(uint64_t a, uint64_t b, uint64_t c);
void year_complain(year_t *y, const char *what, uint32_t who, int got, int want);

/* year_records.c */
/** Adds the effects of the act's next transaction. */
void year_fill(act_t *act);
size_t year_jobs(flow_id_t flow);
/** The questions whether the client and the consent of somebody's grant are there; `act` holds
 *  their texts. */
void year_ask_rests(act_t *act, ask_t *client, ask_t *consent);

/* year_note.c */
/** Notes what the store holds now that they were applied. */
void year_note(act_t *act);

/* year_habits.c */
/** All people and the clients of administrators. */
void year_people(year_t *y);
/** What is done in this hour. */
void year_hour(year_t *y, int64_t hour);

#endif
