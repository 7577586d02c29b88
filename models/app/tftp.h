/* TFTP (RFC 1350) with options (RFC 2347 to 2349): a server for files that exist in memory or as synthetic
 * payload, and a client that reads one. Stop and wait: one block, one acknowledgment, whoever waits too long
 * repeats himself.
 *
 * RFC 1123 4.2.3.1: a repeated acknowledgment does not make the sender repeat the block (the Sorcerer's
 * Apprentice bug): only its own timeout does. Block numbers wrap from 65535 to 0. */
#pragma once

#include "models/udp/udp.h"
#include "models/wire/tftp.h"
#include "sim/engine/timer.h"

#define TFTP_ERR_UNDEFINED 0
#define TFTP_ERR_NOT_FOUND 1
#define TFTP_ERR_ACCESS 2
#define TFTP_ERR_ILLEGAL 4
#define TFTP_ERR_UNKNOWN_TID 5
#define TFTP_ERR_OPTION 8

#define TFTP_BLKSIZE_MIN 8 /* RFC 2348 */
#define TFTP_BLKSIZE_MAX 65464
#define TFTP_RETRIES 5

/* ---- server ---- */

typedef struct TftpServer TftpServer;

typedef struct TftpServerStats {
    uint64_t requests, completed, aborted, errors, retransmits;
} TftpServerStats;

/* NULL: the port is taken. port 0: 69. timeout 0: 1 s unless the client asks for another. */
TftpServer *tftp_server_new(Udp *udp, Ip4 *ip, uint16_t port, SimTime timeout);
void tftp_server_free(TftpServer *s);
/* bytes NULL: the first `len` bytes of the synthetic stream. They are the caller's and outlive the server. */
void tftp_server_add_file(TftpServer *s, const char *name, const void *bytes, uint64_t len);
void tftp_server_stats(const TftpServer *s, TftpServerStats *out);

/* ---- client ---- */

typedef struct TftpClient TftpClient;

typedef struct TftpGetOptions {
    UdpAddr server; /* port 0: 69 */
    uint16_t port;  /* our own; 0: an ephemeral one */
    const char *filename;
    const char *mode;   /* NULL: "octet" */
    uint32_t blksize;   /* 0: not asked for */
    uint32_t timeout_s; /* likewise; how long to wait is then this, else 5 s */
    bool tsize;         /* ask for the size ("tsize 0") */
} TftpGetOptions;

typedef struct TftpResult {
    bool ok;
    uint64_t bytes;
    uint32_t blocks, retransmits;
    int64_t tsize;    /* as the server says; -1: not told */
    uint32_t blksize; /* in use */
    int error_code;   /* of an ERROR packet, sent or received; -1: none (timeout, or ok) */
    char error_msg[64];
    SimTime time;   /* from the request to the end */
    UdpAddr server; /* where the transfer came from: not port 69 */
} TftpResult;

typedef struct TftpEvents {
    void (*data)(void *user, const uint8_t *p, size_t len); /* in order, each byte once; may be NULL */
    void (*done)(void *user, const TftpResult *r);          /* may free the client */
    void *user;
} TftpEvents;

/* Sends the request at once. NULL: the port is taken. */
TftpClient *tftp_get(Udp *udp, Ip4 *ip, const TftpGetOptions *o, const TftpEvents *ev);
void tftp_client_free(TftpClient *c);

/* The read request as it goes out; for tests against captures. Returns its length. */
size_t tftp_get_encode(uint8_t *p, size_t room, const TftpGetOptions *o);
