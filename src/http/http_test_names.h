/* What a resolver of a test's own answers with. */
#ifndef HTTP_HTTP_TEST_NAMES_H
#define HTTP_HTTP_TEST_NAMES_H

#include <netdb.h>
#include <stdint.h>

/** One answer, to be linked by ai_next. */
struct addrinfo *test_address(const char *address, uint16_t port);
/** Frees a list of such answers. */
void test_addresses_free(struct addrinfo *list);

#endif
