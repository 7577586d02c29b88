/* The wire between a real kernel and a packetdrill run: a fresh network namespace with a TUN device, tun0,
 * whose datagrams a thread of its own stamps and queues.
 *
 * The device takes part in segmentation offload (IFF_VNET_HDR), so that TSO packets are seen as TCP built
 * them and an injected aggregate arrives as from GRO. Checksums that the kernel left to the device are
 * completed. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "packetdrill/pd_stack.h"

typedef struct LnxTun LnxTun;

/* The calling thread, and threads that it creates from now on, move to the new namespace. NULL and *error
 * (g_malloc'ed): not permitted, no such device. */
LnxTun *lnx_tun_open(const PdHostConfig *config, char **error);
void lnx_tun_close(LnxTun *t);

/* Times of packets are nanoseconds since then. */
void lnx_tun_start(LnxTun *t);
int64_t lnx_tun_now(const LnxTun *t);

/* The oldest captured datagram; waits for one until `limit` (PD_NEVER: for ever). */
bool lnx_tun_take(LnxTun *t, int64_t limit, PdCaptured *out);
bool lnx_tun_inject(LnxTun *t, const uint8_t *bytes, size_t len, uint32_t gso_size, char **error);

/* Until the reader has taken what the kernel has sent so far, so that its time is not later than what comes
 * next. */
void lnx_tun_settle(LnxTun *t);

/* What is needed here is there: for tests that skip elsewhere. */
bool lnx_tun_is_possible(char **why_not);
