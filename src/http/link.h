/* Circular lists of things that hold their own place. Internal to the room. */
#ifndef HTTP_LINK_H
#define HTTP_LINK_H

#include <stdbool.h>

/** A place in a list; the list itself is one, too. Alone it points to itself. */
typedef struct http_link {
    struct http_link *prev, *next;
} http_link_t;

static inline void http_link_init(http_link_t *l)
{
    l->prev = l->next = l;
}

/** Adds to the end. */
static inline void http_link_add(http_link_t *list, http_link_t *l)
{
    l->prev = list->prev;
    l->next = list;
    list->prev->next = l;
    list->prev = l;
}

/** Takes it out of whatever list it is in, if any. */
static inline void http_link_drop(http_link_t *l)
{
    l->prev->next = l->next;
    l->next->prev = l->prev;
    http_link_init(l);
}

/** Of a list: that it is empty. Of a place: that it is in none. */
static inline bool http_link_none(const http_link_t *l)
{
    return l->next == l;
}

#endif
