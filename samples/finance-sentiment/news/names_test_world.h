/* A few companies, as feeds are read with them, and what was found of them. */
#ifndef SENTIMENT_NAMES_TEST_WORLD_H
#define SENTIMENT_NAMES_TEST_WORLD_H

#include "names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

typedef struct {
    arena_t *a;
    names_t names;
} fixture_t;

int names_setup(void **state);
int names_teardown(void **state);
void assert_str(str_t got, const char *want);
/** "ACME:0.9 ORBT:0.5" in the order they were found. */
void assert_tickers(const article_t *x, const char *want);

#endif
