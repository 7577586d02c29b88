/* TFTP (RFC 1350) with option extension (RFC 2347–2349). */
#pragma once

#include "models/wire/wire.h"

#define TFTP_PORT 69
#define TFTP_BLOCK_LEN 512
#define TFTP_MAX_OPTIONS 8 /* more are refused */

#define TFTP_RRQ 1
#define TFTP_WRQ 2
#define TFTP_DATA 3
#define TFTP_ACK 4
#define TFTP_ERROR 5
#define TFTP_OACK 6

typedef struct TftpOption {
    const char *name;
    const char *value;
} TftpOption;

/* Strings point into the decoded bytes (their terminating zeros are checked) or to what encode shall write.
 */
typedef struct TftpMsg {
    uint16_t op;
    const char *filename; /* RRQ, WRQ */
    const char *mode;
    uint8_t n_options; /* RRQ, WRQ, OACK */
    TftpOption options[TFTP_MAX_OPTIONS];
    uint16_t block;      /* DATA, ACK */
    const uint8_t *data; /* DATA */
    size_t data_len;
    uint16_t error_code; /* ERROR */
    const char *error_msg;
} TftpMsg;

/* Returns the bytes consumed: the whole message. */
int tftp_decode(TftpMsg *out, const uint8_t *p, size_t len);
size_t tftp_encoded_len(const TftpMsg *m);
size_t tftp_encode(uint8_t *p, const TftpMsg *m);
bool tftp_describe(WireCursor *c);
const char *tftp_op_name(uint16_t op); /* "read request"; NULL when unknown */
