/* What the official conformance suite expects of a server, made with nothing but warder/mcp.h and
 * libc, as a stranger would. */
#ifndef CONFORMANCE_SERVER_SURFACE_H
#define CONFORMANCE_SERVER_SURFACE_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <warder/mcp.h>

typedef struct {
    warder_mcp_t *mcp;
    atomic_int stopped; /* slow calls that nobody waited for any more */
} surface_t;

typedef struct {
    const warder_mcp_tool_t *rows;
    size_t n;
} tools_t;

/* One red pixel, and a sound that is none. */
enum { PNG_BYTES = 70, WAV_BYTES = 44 };
extern const unsigned char PNG[PNG_BYTES], WAV[WAV_BYTES];

/** The tables, by theme; each file has one. */
tools_t content_tools(void);
tools_t work_tools(void);
tools_t ask_tools(void);
tools_t round_tools(void);
tools_t task_tools(void);
extern const warder_mcp_resource_t RESOURCES[];
extern const size_t RESOURCE_COUNT;
extern const warder_mcp_prompt_t PROMPTS[];
extern const size_t PROMPT_COUNT;

#define OBJECT(properties, required)                                                               \
    "{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required "]}"
#define STRING(name) "\"" name "\":{\"type\":\"string\"}"
#define NAME_FORM    OBJECT(STRING("name"), "\"name\"")
#define GREETING                                                                                   \
    "{\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\",\"text\":\"Generate a "      \
    "greeting\"}}],\"maxTokens\":50}"

/** What the model said in the answer to a question: the text of its content, or of the first part.
 */
const char *said(const warder_mcp_call_t *call, const char *key);

#endif
