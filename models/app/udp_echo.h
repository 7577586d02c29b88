/* The echo service (RFC 862): each datagram goes back to where it came from, its payload by reference. */
#pragma once

#include "models/udp/udp.h"

typedef struct UdpEcho UdpEcho;

#define UDP_ECHO_PORT 7

UdpEcho *udp_echo_new(Udp *udp, uint16_t port); /* NULL: the port is taken */
void udp_echo_free(UdpEcho *e);
uint64_t udp_echo_count(const UdpEcho *e);
