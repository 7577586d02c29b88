/* Shared by the files of ICMP: its state. The files:
 *   icmp4.c           life, counters, arriving messages, answers to queries, listeners for our own queries
 *   icmp4_error.c     errors that we send: may we, about what, what is quoted
 *   icmp4_rate.c      how often we may
 *   icmp4_receive.c   errors that arrive: what they mean and whom they concern
 *   icmp4_redirect.c  redirects that arrive */
#pragma once

#include <glib.h>

#include "models/ip/icmp4.h"
#include "models/ip/icmp4_rate.h"

typedef struct Icmp4Listener {
    uint16_t id;
    Icmp4EchoFn fn;
    Icmp4EchoErrorFn error;
    void *user;
} Icmp4Listener;

struct Icmp4 {
    Ip4 *ip;
    Node *node;
    uint64_t *mib;     /* allocated with the first message */
    GArray *listeners; /* of Icmp4Listener, by id; NULL until there is one */
    Icmp4Rate rate;
    uint16_t id_next; /* where the search for a free id begins */
    bool mask_agent;
};

static inline void icmp4_count(Icmp4 *ic, unsigned i)
{
    if (HS_UNLIKELY(!ic->mib))
        ic->mib = g_new0(uint64_t, ICMP4_MIB_COUNT);
    ic->mib[i]++;
}

/* The Icmp4 that registered itself with ip, or NULL. */
Icmp4 *icmp4_of(Ip4 *ip);
/* Counts the message as sent and gives it to IP; head stands at the ICMP header. */
int icmp4_output(Icmp4 *ic, Packet *pkt, const Ip4Tx *tx);
/* The end of an arrived packet that is not wanted. */
void icmp4_drop(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx, ProbeDrop reason);

/* Arrived errors (3, 4, 11, 12; 5). They take the packet. */
void icmp4_receive_error(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx);
void icmp4_receive_redirect(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx);
/* The first bytes of an arrived error, told: *quote is the quoted IP header in buf, and *len how much of the
 * quote buf has from there. false: it is cut short or nonsense. */
#define ICMP4_QUOTE_MAX 576
bool icmp4_quote(const Packet *pkt, uint8_t *buf, uint32_t *len);
