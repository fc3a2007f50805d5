/* What failed at the start, in one sentence with its mend. */
#include "store/postgres_link.h"

/* By the code of the server, then by a word of libpq's message. */
static const struct {
    const char *sqlstate, *word;
    const char *what, *mend;
} FAULTS[] = {
    {"28P01", NULL, "the PostgreSQL server does not take the password",
     "put the right one into postgres_password_file"},
    {"28000", NULL, "the PostgreSQL server does not let this user in",
     "look at the user in the setting postgres and at the server's pg_hba.conf"},
    {"3D000", NULL, "the database does not exist",
     "create it, or name another one in the setting postgres"},
    {"42501", NULL, "the user may not do that in this database",
     "grant it CONNECT on the database and CREATE on its schema"},
    {"53300", NULL, "the PostgreSQL server has no connection left",
     "raise its max_connections, or lower postgres_connections"},
    {"57P03", NULL, "the PostgreSQL server is starting or shutting down", "try again soon"},
    {POSTGRES_TOO_OLD, NULL, "the PostgreSQL server is older than version 13", "upgrade it"},
    {NULL, "password", "the PostgreSQL server asks for a password",
     "put it into a file and name that in postgres_password_file"},
    {NULL, "hannel binding",
     "the PostgreSQL server does not bind its sign-in to the TLS connection",
     "store the password as scram-sha-256 there; behind a proxy that cannot, set "
     "channel_binding=prefer"},
    {NULL, "certificate", "the certificate of the PostgreSQL server was not accepted",
     "name its authority in sslrootcert, and the server as the certificate does"},
    {NULL, "SSL", "TLS to the PostgreSQL server failed",
     "switch TLS on there, or look at sslmode and the ssl settings"},
    {NULL, "read-only", "the PostgreSQL server cannot be written to",
     "name the primary, or all servers, in the setting postgres"},
    {NULL, "standby", "the PostgreSQL server only follows another one",
     "name the primary, or all servers, in the setting postgres"},
};

static bool fits(const postgres_fault_t *fault, size_t i)
{
    if (FAULTS[i].sqlstate)
        return strcmp(fault->sqlstate, FAULTS[i].sqlstate) == 0;
    return strstr(fault->why, FAULTS[i].word) != NULL;
}

str_t postgres_explain(arena_t *a, const postgres_fault_t *fault)
{
    const char *what = "the PostgreSQL server cannot be reached";
    const char *mend = "see that it runs, and look at the setting postgres";
    for (size_t i = sizeof FAULTS / sizeof FAULTS[0]; i-- > 0;) {
        if (fits(fault, i)) {
            what = FAULTS[i].what;
            mend = FAULTS[i].mend;
        }
    }
    return arena_printf(a, "%s (%s); %s", what, fault->why, mend);
}
