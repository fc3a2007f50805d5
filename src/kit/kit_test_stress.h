/* What the server of the stress test offers: functions that are quick, slow, put off, that ask, and
 * that do all they should not. */
#ifndef KIT_KIT_TEST_STRESS_H
#define KIT_KIT_TEST_STRESS_H

#include "warder/mcp.h"

#include <pthread.h>
#include <stdatomic.h>

enum { STRESS_DESK = 64 };

/** Their ctx: calls that were put off, for the thread that finishes them. */
typedef struct {
    pthread_mutex_t lock;
    warder_mcp_call_t *calls[STRESS_DESK];
    size_t n;
    bool over;        /* nothing is put off any more */
    atomic_uint runs; /* of the slow one */
} stress_desk_t;

void stress_desk_init(stress_desk_t *d);
void stress_desk_clear(stress_desk_t *d);
/** The thread: finishes what was put off until it is over. */
void *stress_finish_all(void *desk);
void stress_desk_close(stress_desk_t *d);

extern const warder_mcp_tool_t STRESS_TOOLS[];
extern const warder_mcp_resource_t STRESS_RESOURCES[];
enum { STRESS_TOOL_COUNT = 5, STRESS_RESOURCE_COUNT = 2 };

#endif
