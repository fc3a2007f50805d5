#include "http/http_test_names.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct addrinfo *test_address(const char *address, uint16_t port)
{
    struct {
        struct addrinfo info;
        struct sockaddr_storage name;
    } *one = calloc(1, sizeof *one);
    struct sockaddr_in *v4 = (void *)&one->name;
    struct sockaddr_in6 *v6 = (void *)&one->name;
    bool is_v6 = strchr(address, ':') != NULL;
    one->info = (struct addrinfo){
        .ai_family = is_v6 ? AF_INET6 : AF_INET,
        .ai_socktype = SOCK_STREAM,
        .ai_protocol = IPPROTO_TCP,
        .ai_addrlen = is_v6 ? sizeof *v6 : sizeof *v4,
        .ai_addr = (void *)&one->name,
    };
    one->name.ss_family = (sa_family_t)one->info.ai_family;
    if (is_v6)
        v6->sin6_port = htons(port);
    else
        v4->sin_port = htons(port);
    inet_pton(one->info.ai_family, address, is_v6 ? (void *)&v6->sin6_addr : (void *)&v4->sin_addr);
    return &one->info;
}

void test_addresses_free(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}
