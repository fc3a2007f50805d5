/* Both tools as a client sees them: through mcp_http, over bytes, with doubles for who may come in
 * and for the audit. Tests only. */
#ifndef SENTIMENT_FINANCE_TEST_WORLD_H
#define SENTIMENT_FINANCE_TEST_WORLD_H

#include "finance.h"
#include "http/direct.h"
#include "sample_test_post.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct {
    arena_t *a;
    finance_t finance;
    mcp_http_tool_t tools[FINANCE_TOOLS];
    mcp_http_t *m;
    void *worker;
    http_direct_t *d;
    http_pool_t *pool;
    http_fetch_fake_t fetch;
    clock_fake_t clock;
    random_fake_t random;
    unsigned events, tool_calls;
    char reason[64];
} fixture_t;
#define BOTH "Authorization: Bearer alice/news:read sentiment:analyze\r\n"
#define NEWS "Authorization: Bearer alice/news:read\r\n"

/** Where the live service's answers arrive. */
extern loop_t FINANCE_LOOP;

/** A server with two articles about ACME and a hostile one about EVIL, and no live news. */
int finance_setup(void **state);
int finance_teardown(void **state);
#define FINANCE_TEST(name) cmocka_unit_test_setup_teardown(name, finance_setup, finance_teardown)

/** The bytes of a tools/call, and of the POST around it. */
str_t call_of(fixture_t *f, const char *tool, const char *arguments);
str_t request_of(fixture_t *f, const char *headers, str_t body);
/** One call on a connection of its own. */
http_direct_answer_t call(fixture_t *f, const char *headers, const char *tool,
                          const char *arguments);
/** The result of a call that must be answered with 200. */
const json_t *result_of(fixture_t *f, const http_direct_answer_t *r);
str_t text_of(const json_t *result);
const json_t *structured(const json_t *result);
/** A number member; 99 where it is missing. */
double number(const json_t *object, const char *name);
/** Calls with both scopes: a result with structure and text, audited as ok. */
const json_t *good(fixture_t *f, const char *tool, const char *arguments);
/** Calls with both scopes: refused in words that hold `says`, audited as tool_error. */
void bad(fixture_t *f, const char *tool, const char *arguments, const char *says);

#endif
