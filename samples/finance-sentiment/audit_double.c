/* Tests only: an audit trail that writes "kind allow|deny reason user client tool" lines at once,
 * and fails where its file cannot be opened. */
#include "audit/audit.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct audit {
    pthread_mutex_t lock;
    char path[512];
};

typedef struct {
    audit_done_t done;
    void *ctx;
    rc_t rc;
} told_t;

static const char *const KINDS[] = {
#define AUDIT(name, text, about) text,
    AUDIT_TABLE(AUDIT)
#undef AUDIT
};

rc_t audit_open(arena_t *a, const audit_config_t *config, audit_t **out, str_t *why)
{
    audit_t *t = calloc(1, sizeof *t);
    (void)a;
    if (!t)
        return RC_MEMORY;
    pthread_mutex_init(&t->lock, NULL);
    snprintf(t->path, sizeof t->path, "%" PRIstr, STR_ARG(config->path));
    FILE *f = fopen(t->path, "a");
    *out = f ? t : NULL;
    if (f)
        return fclose(f) == 0 ? RC_OK : RC_IO;
    *why = STR("the audit trail cannot be opened");
    audit_close(t);
    return RC_IO;
}

void audit_close(audit_t *t)
{
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static rc_t write_line(audit_t *t, const audit_event_t *e)
{
    FILE *f = fopen(t->path, "a");
    if (!f)
        return RC_IO;
    fprintf(f, "%s %s %" PRIstr " user=%" PRIstr " client=%" PRIstr " tool=%" PRIstr "\n",
            KINDS[e->kind], e->allowed ? "allow" : "deny", STR_ARG(e->reason), STR_ARG(e->user),
            STR_ARG(e->client), STR_ARG(e->tool));
    return fclose(f) == 0 ? RC_OK : RC_IO;
}

static void tell(void *arg)
{
    told_t *told = arg;
    told->done(told->ctx, told->rc);
    free(told);
}

void audit_append(audit_t *t, post_port_t back, const audit_event_t *e, audit_done_t done,
                  void *ctx)
{
    told_t *told = calloc(1, sizeof *told);
    if (!told)
        abort();
    pthread_mutex_lock(&t->lock);
    *told = (told_t){done, ctx, write_line(t, e)};
    pthread_mutex_unlock(&t->lock);
    if (back.post(back.ctx, tell, told) != RC_OK)
        free(told);
}
