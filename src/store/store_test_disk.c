#include "store/store_test_disk.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECTOR = 512, FIRST_ROOM = 1 << 20 };

/* splitmix64 */
uint64_t test_disk_random(test_disk_t *d)
{
    uint64_t z = d->seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Of `in`, one is hit. */
bool test_disk_happens(test_disk_t *d, uint32_t in)
{
    return test_disk_random(d) % in == 0;
}

static void resize(node_t *node, size_t n)
{
    if (n > node->room) {
        node->room = n < FIRST_ROOM ? FIRST_ROOM : 2 * n;
        node->bytes = realloc(node->bytes, node->room);
        assert(node->bytes);
    }
    if (n > node->n)
        memset(node->bytes + node->n, 0, n - node->n);
    node->n = n;
}

static void put(node_t *node, const change_t *c, size_t from, size_t n)
{
    size_t at = (size_t)c->at + from;
    if (at + n > node->n)
        resize(node, at + n);
    memcpy(node->bytes + at, c->bytes + from, n);
}

static void drop_change(node_t *node)
{
    change_t *c = node->first;
    node->first = c->next;
    if (!node->first)
        node->last = &node->first;
    free(c->bytes);
    free(c);
}

void test_disk_sync(node_t *node)
{
    for (; node->first; drop_change(node)) {
        if (node->first->bytes)
            put(node, node->first, 0, node->first->n);
        else
            resize(node, (size_t)node->first->at);
    }
}

/* A write of which some sectors came through; one that was under way may hold anything. */
static void keep_torn(test_disk_t *d, node_t *node, change_t *c)
{
    for (size_t from = 0, n; from < c->n; from += n) {
        n = SECTOR - ((size_t)c->at + from) % SECTOR;
        n = n > c->n - from ? c->n - from : n;
        if (test_disk_happens(d, 2))
            continue;
        if (test_disk_happens(d, 16))
            for (size_t i = 0; i < n; i++)
                c->bytes[from + i] = (uint8_t)test_disk_random(d);
        put(node, c, from, n);
    }
}

void test_disk_forget(test_disk_t *d, node_t *node)
{
    for (; node->first; drop_change(node)) {
        change_t *c = node->first;
        if (test_disk_happens(d, 3))
            continue;
        if (!c->bytes)
            resize(node, (size_t)c->at);
        else if (test_disk_happens(d, 2))
            put(node, c, 0, c->n);
        else
            keep_torn(d, node, c);
    }
}

void test_disk_change(node_t *node, int64_t at, const void *bytes, size_t n)
{
    change_t *c = calloc(1, sizeof *c);
    assert(c);
    c->at = at;
    c->n = n;
    if (bytes) {
        c->bytes = malloc(n);
        assert(c->bytes);
        memcpy(c->bytes, bytes, n);
    }
    *node->last = c;
    node->last = &c->next;
}

node_t *test_disk_find(test_disk_t *d, const char *name)
{
    for (size_t i = d->n_nodes; i-- > 0;)
        if (d->nodes[i].is_there && strcmp(d->nodes[i].name, name) == 0)
            return &d->nodes[i];
    return NULL;
}

node_t *test_disk_open(test_disk_t *d, const char *name, bool syncs_folder_once)
{
    node_t *node = test_disk_find(d, name);
    if (node)
        return node;
    assert(d->n_nodes < TEST_DISK_NODES && strlen(name) < TEST_DISK_NAME_BYTES);
    node = &d->nodes[d->n_nodes++];
    *node =
        (node_t){.is_there = true, .syncs_folder_once = syncs_folder_once, .last = &node->first};
    strcpy(node->name, name);
    return node;
}

void test_disk_sync_folder(test_disk_t *d)
{
    for (size_t i = 0; i < d->n_nodes; i++)
        d->nodes[i].is_entered = d->nodes[i].is_there;
}

static void write_file(const char *path, const node_t *node)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0);
    ssize_t n = node->n > 0 ? write(fd, node->bytes, node->n) : 0;
    assert(n == (ssize_t)node->n);
    (void)n;
    close(fd);
}

/* Whether somebody who looks after the power is back finds its name. */
static bool name_survives(test_disk_t *d, const node_t *node)
{
    if (node->is_there == node->is_entered)
        return node->is_there;
    return test_disk_happens(d, 2);
}

void test_disk_survive(test_disk_t *d, const char *was, const char *path)
{
    size_t prefix = strlen(was);
    for (size_t i = 0; i < d->n_nodes; i++) {
        node_t *node = &d->nodes[i];
        char to[2 * TEST_DISK_NAME_BYTES];
        test_disk_forget(d, node);
        assert(strncmp(node->name, was, prefix) == 0);
        snprintf(to, sizeof to, "%s%s", path, node->name + prefix);
        if (name_survives(d, node))
            write_file(to, node);
        free(node->bytes);
    }
    d->n_nodes = 0;
}
