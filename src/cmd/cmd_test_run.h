/* Runs functions and commands in a child with files as its standard streams. */
#ifndef CMD_CMD_TEST_RUN_H
#define CMD_CMD_TEST_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/arena.h"

/** What a run left behind; texts end in NUL. */
typedef struct {
    int code; /* -1: it died */
    char out[16384], err[4096];
} ran_t;

/** An empty folder that is removed with test_folder_remove. */
void test_folder(char path[64]);
void test_folder_remove(const char *path);
/** Writes a file `name` in `folder`; its path, static until the next call. */
const char *test_file(const char *folder, const char *name, const char *text);
/** The whole file as a string in `out`; false when there is none. */
bool test_read(const char *path, char *out, size_t max);

/** Runs fn(arg) in a child with `input` of n bytes as standard input. */
void test_child(int (*fn)(void *arg), void *arg, str_t input, ran_t *out);
/** Runs a command line, split at spaces; '~' in a word stands for a space. */
void test_command(const char *line, str_t input, ran_t *out);
/** For main of a test that uses test_command: whether it was started to run one, and ran it. */
bool test_is_command(int argc, char **argv, int *code);
/** Fails unless err is empty, or one line that begins "warder: ". */
void assert_one_line(const ran_t *ran);

#endif
