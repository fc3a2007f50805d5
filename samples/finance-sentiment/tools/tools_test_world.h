/* The functions of the tools with a store and lists in memory, and a call without a server around
 * it. */
#ifndef SENTIMENT_TOOLS_TEST_WORLD_H
#define SENTIMENT_TOOLS_TEST_WORLD_H

#include "finance_work.h"

#include "articles_import.h"
#include "mcp_server/said_test_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct {
    said_world_t *said;
    arena_t *a;
    clock_fake_t clock;
    finance_t f;
    warder_mcp_config_t offer;
} tools_t;

/** Ten days of news about ACME and ORBT up to 2026-11-23, one story that attacks, and nobody's
 *  watchlist; it is 2026-11-24. alice asks. */
int tools_setup(void **state);
int tools_teardown(void **state);

/** The feed in Alpha Vantage's shape. */
void tools_import(tools_t *t, str_t feed);
/** From now on somebody else asks. */
void tools_become(tools_t *t, const char *subject);
/** Runs a tool; its arguments are held to its schema first. What it said, as a result: structured
 *  content is held to the schema of the output. */
const json_t *tools_call(tools_t *t, const char *tool, const char *arguments);
/** Runs a tool in an arena of its call's own. False: it failed as a whole. */
bool tools_try(tools_t *t, const char *tool, const char *arguments);
/** The same as tools_call, and it is a result without isError: its structured content. */
const json_t *tools_good(tools_t *t, const char *tool, const char *arguments);
/** Its text holds `says`, and it has isError. */
void tools_bad(tools_t *t, const char *tool, const char *arguments, const char *says);
/** The arguments differ from the schema of the input. */
void tools_misfit(tools_t *t, const char *tool, const char *arguments);
/** Text of the first block. */
str_t tools_text(const json_t *result);
/** A number by its path; it must be there. */
double tools_number(const json_t *v, const char *path);
str_t tools_string(const json_t *v, const char *path);
/** ReadResourceResult, or NULL for an error of the protocol; GetPromptResult. */
const json_t *tools_read(tools_t *t, const char *uri, const char *arguments);
const json_t *tools_prompt(tools_t *t, const char *name, const char *arguments);

#define TOOLS_TEST(fn) cmocka_unit_test_setup_teardown(fn, tools_setup, tools_teardown)

#endif
