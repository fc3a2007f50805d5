/* Where the key-encryption key comes from: a file, a systemd credential, or the environment. */
#ifndef CMD_KEK_H
#define CMD_KEK_H

#include "as/kek.h"
#include "cmd/settings.h"

/** Reads the key of setting key_file, of $CREDENTIALS_DIRECTORY/warder-key, or of WARDER_KEY, which
 *  is removed from the process environment; zero when there is none. 0, or an exit code after
 *  saying why: two of them are there, others can read the file, it is no key. */
int kek_load(arena_t *a, const settings_t *s, as_kek_t *out);
/** Whether kek_load would find one. */
bool kek_is_given(arena_t *a, const settings_t *s);
/** The file that it comes from; NULL: another place, or none. */
const char *kek_path(arena_t *a, const settings_t *s);
/** For a process that needs no key: the variable is wiped and removed, files that were opened
 * beforehand are closed. */
void kek_forget(void);
/** The key in the file at `path`; 0 or an exit code. */
int kek_file(arena_t *a, str_t path, as_kek_t *out);
/** 0, or an exit code after saying which record as_kek_planted finds. */
int kek_check_planted(const key_record_t *records, size_t n);
/** Whether `kek` opens all records; 0, or an exit code after saying which key is needed. */
int kek_check(const as_kek_t *kek, const key_record_t *records, size_t n);

#endif
