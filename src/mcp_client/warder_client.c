#include "warder/client.h"

#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

void warder_client_free_text(char *text)
{
    if (!text)
        return;
    secret_wipe(text, strlen(text));
    free(text);
}
