/* The settings as this machine gives them: file, environment, flags, and the defaults that depend
 * on the machine (data folder, number of processors). */
#ifndef CMD_SETTINGS_H
#define CMD_SETTINGS_H

#include "cmd/command.h"
#include "cmd/options.h"
#include "conf/conf.h"
#include "core/log.h"

/** The settings, with every empty default filled in but public_url (it may depend on the port). */
typedef struct {
    conf_t conf;
    conf_sources_t sources;
    str_t database;     /* path */
    bool node_is_given; /* conf.node was set, and is not the host's name */
    bool mend_audit;    /* --mend-audit: this start may put aside what a checkpoint signs */
    refusal_t *refusal; /* takes the sentences of what is refused; NULL: standard error does */
} settings_t;

/** Reads them; `rows` may hold --config and any setting as a flag. Returns 0, or an exit code after
 *  it has said why. */
int settings_load(arena_t *a, const option_t *rows, settings_t *out);
/** The same for a running server: a refusal goes into *refusal. */
int settings_load_again(arena_t *a, const option_t *rows, settings_t *out, refusal_t *refusal);
/** Warns of settings that are given and do nothing, as another that they need is not: harmless, but
 * somebody means something by them. */
void settings_warn(const settings_t *s, const log_t *log);
/** The node's name where it is, or may be, one of many: it was given, or store is postgres. Unset:
 *  processes over one SQLite file are one node. */
str_t settings_node(const settings_t *s);
/** The path of a file that a setting names: a relative one counts from the folder of the settings
 *  file. NULL: no memory. */
const char *settings_path(arena_t *a, const settings_t *s, str_t file);
/** Makes the data folder (mode 0700) where it is missing. 0 or an exit code. */
int settings_make_data(arena_t *a, const settings_t *s);
/** Rows for --config and one for each setting, ended by NULL. In the arena. */
option_t *settings_options(arena_t *a);
/** The flag of a setting key: dashes for underscores. */
const char *settings_flag(arena_t *a, str_t key);

#endif
