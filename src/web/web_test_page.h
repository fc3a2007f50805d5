/* What the tests of pages share: strings that try to break out, and a reader that is stricter than
 * any browser, so that whatever breaks out is seen. */
#ifndef WEB_WEB_TEST_PAGE_H
#define WEB_WEB_TEST_PAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/limits.h"

enum { TEST_HOSTILE_COUNT = 17, TEST_HOSTILE_LONG = 10240 };

/** A builder for one page, as the shell makes it; freed with its arena. */
typedef struct {
    arena_t *a;
    buf_t b;
} page_t;

page_t page_begin(void);
/** The page, which must be complete and sound; sets the test to failed otherwise. */
str_t page_done(page_t *p);
void page_free(page_t *p);

/**
 * NULL, or what is wrong with a page: a tag or an attribute that no page of ours has, an attribute
 * without quotes, a lone '<', '>' or '&', an element that does not nest, control characters or
 * those that reorder or hide text, an id twice, a reference to an id that is not there, an input
 * without a label, not exactly one h1, main and title, a form that is not posted to a path of ours.
 */
const char *page_problem(str_t html);

/** The i-th hostile string, static. */
str_t hostile(size_t i);

void assert_has(str_t page, const char *part);
void assert_lacks(str_t page, const char *part);
/** How often `part` stands in `page`. */
size_t count_of(str_t page, const char *part);

#endif
