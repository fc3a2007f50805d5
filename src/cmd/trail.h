/* The audit trail as the settings want it, with the key that signs it. */
#ifndef CMD_TRAIL_H
#define CMD_TRAIL_H

#include "audit/checkpoint.h"
#include "cmd/settings.h"
#include "core/log.h"

struct audit;

typedef enum {
    TRAIL_OF_SERVER,  /* makes the key where there is none; rotates and deletes */
    TRAIL_OF_COMMAND, /* signs if there is a key */
} trail_owner_t;

/** Opens it. 0 or an exit code after saying why. All in the arena, which must outlive the trail. */
int trail_open(arena_t *a, const settings_t *s, const log_t *log, trail_owner_t owner,
               struct audit **out);
/** The two halves of it, for a key that is in another process: the server's key, made where it is
 *  missing, its public half written beside it; it lives as long as the arena. */
int trail_load_key(arena_t *a, const settings_t *s, jose_key_t **out);
/** Whether the key that audit_key_file names can be read, and its public half is there or could be
 *  made, for a command that makes nothing. 0 or an exit code. */
int trail_check_key(arena_t *a, const settings_t *s);
/** The server's trail, signed by `signer`, which is borrowed. */
int trail_open_signed(arena_t *a, const settings_t *s, const log_t *log,
                      const audit_signer_t *signer, struct audit **out);
/** The path of the private key, and of its public half: KEY.pub.pem for KEY.pem. NULL: no memory.
 */
const char *trail_key_path(arena_t *a, const settings_t *s);
const char *trail_public_path(arena_t *a, const char *key_path);
/** Reads public keys (a file each), with their thumbprints as kid. 0 or an exit code. */
int trail_public_keys(arena_t *a, const str_t *files, size_t n, jwks_t *out);
/** Reads KEY.pub.pem, and beside it those it replaced: KEY.*.pub.pem. None may be there. The same.
 */
int trail_keys_beside(arena_t *a, const char *public_path, jwks_t *out);

#endif
