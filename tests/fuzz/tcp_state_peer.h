/* The peer of a fuzzed TCP host: what it knows of the connection, and what it can send. Everything it does is
 * chosen by the input's bytes. */
#pragma once

#include "models/wire/tcp.h"
#include "packetdrill/pd_sim_priv.h"

#define LOCAL 0xc0a80001u /* 192.168.0.1 */
#define REMOTE 0xc0000201u
#define PORT 8080
#define PEER_ISN 1000u
#define KEY "secret"

static const Ipv6Addr fuzz_local6 = {{0xfd, 0x3d, 0x0a, 0x0b, 0x17, 0xd6, [15] = 1}};
static const Ipv6Addr fuzz_remote6 = {{0xfd, 0x3d, 0xfa, 0x7b, 0xd1, 0x7d, [15] = 1}};

typedef struct Fuzz {
    const uint8_t *p, *end;
    PdStack *stack;
    PdSim *sim;
    bool is_v6, is_signed, sleeps;
    int listener, conn; /* descriptors; -1 */
    uint16_t local_port, peer_port;
    uint32_t peer_nxt;  /* what we send next */
    uint32_t their_nxt; /* what they send next */
    uint32_t ts_val, ts_ecr;
} Fuzz;

static inline uint8_t fuzz_u8(Fuzz *f)
{
    return f->p < f->end ? *f->p++ : 0;
}

static inline uint16_t fuzz_u16(Fuzz *f)
{
    uint16_t v = fuzz_u8(f);

    return (uint16_t)(v << 8 | fuzz_u8(f));
}

/* Takes note of what the host has sent. */
void fuzz_learn(Fuzz *f);
/* Some options, chosen by `kind` and the input. */
void fuzz_put_options(Fuzz *f, TcpHdr *h, uint8_t kind);
/* A segment of the connection, with len bytes of data; signed, if the connection is. */
void fuzz_inject_tcp(Fuzz *f, TcpHdr *h, uint32_t len, uint8_t tos, uint32_t gso);
/* What a peer would say, more or less: numbers near the right ones. */
void fuzz_informed_segment(Fuzz *f);
/* An ICMP error about a segment of the connection. */
void fuzz_icmp_error(Fuzz *f);

static const uint16_t fuzz_lengths[] = {0, 1, 10, 100, 536, 1000, 1460, 4000};
