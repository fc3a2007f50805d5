/* Facts of a sound server, and of what changes of it make of it: for the tests of the checks. */
#ifndef DOCTOR_DOCTOR_TEST_PLAY_H
#define DOCTOR_DOCTOR_TEST_PLAY_H

#include "core/core_test_util.h"

#include "doctor/checks.h"

/** One change: in the answer to `ask`, or with PLAY_ANY in all answers, `from` becomes `to`; or the
 *  answer is another one; or it ends otherwise. */
typedef struct {
    doctor_ask_t ask;
    const char *from, *to;
    int status;          /* 0: as it was */
    const char *headers; /* with status: "Name: value\n" each */
    const char *body;
    http_agent_end_t end;
    const char *why;
    int64_t ms;
    bool cut; /* no body is told */
} play_edit_t;

#define PLAY_ANY DOCTOR_ASK_COUNT
enum { PLAY_EDITS = 6 };

typedef struct {
    const char *expected; /* ids of checks, with spaces between, in any order */
    const char *url;      /* NULL: of the sound server */
    play_edit_t edits[PLAY_EDITS];
} play_case_t;

#define PLAY_CHANGE(name, from_, to_)                                                              \
    {                                                                                              \
        .ask = DOCTOR_ASK_##name, .from = (from_), .to = (to_)                                     \
    }
#define PLAY_CHANGE_ALL(from_, to_)                                                                \
    {                                                                                              \
        .ask = PLAY_ANY, .from = (from_), .to = (to_)                                              \
    }
#define PLAY_ANSWER(name, status_, headers_, body_)                                                \
    {                                                                                              \
        .ask = DOCTOR_ASK_##name, .status = (status_), .headers = (headers_), .body = (body_)      \
    }
#define PLAY_END(name, end_, why_)                                                                 \
    {                                                                                              \
        .ask = DOCTOR_ASK_##name, .end = HTTP_AGENT_##end_, .why = (why_)                          \
    }
/* Status and head as they were. */
#define PLAY_LONG(name)                                                                            \
    {                                                                                              \
        .ask = DOCTOR_ASK_##name, .end = HTTP_AGENT_TOO_LONG, .why = "the answer is too long",     \
        .cut = true                                                                                \
    }
#define PLAY_SLOW(name, ms_)                                                                       \
    {                                                                                              \
        .ask = DOCTOR_ASK_##name, .ms = (ms_)                                                      \
    }

/** The sound server's URL. */
#define PLAY_URL "https://mcp.example/mcp"

/** Asks all of the plan, and answers from the case. */
doctor_facts_t *play_facts(arena_t *a, const play_case_t *c);
/** The answer of the sound server to one question, as a script for http_ask_fake has it. */
void play_row(doctor_ask_t ask, int *status, const char **headers, const char **body);

#endif
