/* A database as the first version of the schema left it. */
#ifndef STORE_SQLITE_TEST_VERSION_1_H
#define STORE_SQLITE_TEST_VERSION_1_H

#include <sqlite3.h>

/** Makes it at `path`, where there is nothing, with rows in every table; asserts. */
void test_write_version_1(const char *path);

#endif
