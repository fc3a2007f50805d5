#include "mcp_stdio/posts.h"

#include "core/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

typedef struct {
    void (*fn)(void *arg);
    void *arg;
} post_t;

struct mcp_posts {
    pthread_mutex_t lock;
    int event;
    size_t first, n; /* under the lock, as the ring */
    post_t ring[LIMIT_HTTP_POSTS];
};

mcp_posts_t *mcp_posts_new(void)
{
    mcp_posts_t *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (p->event >= 0 && pthread_mutex_init(&p->lock, NULL) == 0)
        return p;
    if (p->event >= 0)
        close(p->event);
    free(p);
    return NULL;
}

void mcp_posts_free(mcp_posts_t *p)
{
    if (!p)
        return;
    close(p->event);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static rc_t post(void *ctx, void (*fn)(void *arg), void *arg)
{
    mcp_posts_t *p = ctx;
    pthread_mutex_lock(&p->lock);
    bool room = p->n < LIMIT_HTTP_POSTS;
    if (room)
        p->ring[(p->first + p->n++) % LIMIT_HTTP_POSTS] = (post_t){fn, arg};
    /* The count cannot overflow: it is one for each time that the ring was empty. */
    if (room && p->n == 1 && eventfd_write(p->event, 1) != 0)
        p->n--;
    room = room && p->n > 0;
    pthread_mutex_unlock(&p->lock);
    return room ? RC_OK : RC_BUSY;
}

post_port_t mcp_posts_port(mcp_posts_t *p)
{
    return (post_port_t){post, p};
}

int mcp_posts_fd(const mcp_posts_t *p)
{
    return p->event;
}

static bool take(mcp_posts_t *p, post_t *out)
{
    pthread_mutex_lock(&p->lock);
    bool some = p->n > 0;
    if (some) {
        *out = p->ring[p->first];
        p->first = (p->first + 1) % LIMIT_HTTP_POSTS;
        p->n--;
    }
    pthread_mutex_unlock(&p->lock);
    return some;
}

void mcp_posts_run(mcp_posts_t *p)
{
    eventfd_t count;
    post_t post;
    /* Before the ring is emptied: what is posted later rings again. */
    (void)eventfd_read(p->event, &count);
    while (take(p, &post))
        post.fn(post.arg);
}
