/* ping as of iputils: echo requests at an interval, what came back, and the closing statistics in its words.
 */
#pragma once

#include "models/ip/icmp4.h"
#include "sim/engine/timer.h"

typedef struct Ping Ping;

typedef struct PingOptions {
    uint32_t dst;
    const char *name;   /* what the user typed; NULL: the address */
    uint64_t count;     /* 0: until ping_stop */
    SimTime interval;   /* 0: 1 s */
    uint32_t size;      /* of the payload; PING_DEFAULT_SIZE is what one wants */
    SimTime timeout;    /* -W: how long to wait for the last answers when there were none; 0: 10 s */
    uint32_t src;       /* 0: as the route says */
    uint16_t id;        /* 0: a free one */
    uint16_t first_seq; /* 1 as Linux: see PING_DEFAULTS; some start at 0 */
    uint8_t ttl, tos;   /* 0: the default */
    bool df;            /* -M do */
} PingOptions;

#define PING_DEFAULT_SIZE 56
#define PING_DEFAULTS                                                                                        \
    {                                                                                                        \
        .size = PING_DEFAULT_SIZE, .first_seq = 1                                                            \
    }

typedef struct PingReply {
    uint64_t n; /* which request: 0, 1, … */
    uint16_t seq;
    uint32_t from;
    uint32_t len; /* ICMP header and data */
    SimTime rtt;  /* of an answer */
    uint8_t ttl;
    bool is_dup;
    uint8_t icmp_type, icmp_code; /* 0 for an answer, else of the error */
    uint16_t mtu;                 /* with 3/4 */
} PingReply;

typedef struct PingResult {
    uint64_t sent, received, duplicates, errors;
    double loss;  /* 0 to 1 */
    SimTime time; /* from the first to the last request */
    SimTime rtt_min, rtt_avg, rtt_max, rtt_mdev;
    int err; /* errno if it could not even start */
} PingResult;

typedef struct PingEvents {
    void (*line)(void *user, const char *text); /* what ping prints, without newline; NULL: nobody reads */
    void (*reply)(void *user, const PingReply *r);
    void (*done)(void *user, const PingResult *r); /* may free the Ping */
    void *user;
} PingEvents;

/* Sends the first request at once. NULL: the id is taken. */
Ping *ping_new(Ip4 *ip, const PingOptions *o, const PingEvents *ev);
void ping_stop(Ping *p); /* ^C: statistics, done */
void ping_free(Ping *p);
bool ping_is_done(const Ping *p);
void ping_result(const Ping *p, PingResult *out);
