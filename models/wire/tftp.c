/* TFTP messages (RFC 1350, RFC 2347). */
#include "models/wire/tftp.h"

#include "sim/base/base.h"

/* A zero-terminated string at *at; NULL when there is no terminator before len. */
static const char *get_string(const uint8_t *p, size_t len, size_t *at)
{
    const char *s = (const char *)p + *at;
    const uint8_t *end = *at < len ? memchr(p + *at, 0, len - *at) : NULL;

    if (!end)
        return NULL;
    *at = (size_t)(end - p) + 1;
    return s;
}

static int decode_options(TftpMsg *m, const uint8_t *p, size_t len, size_t at)
{
    while (at < len) {
        TftpOption opt;

        if (m->n_options == TFTP_MAX_OPTIONS)
            return WIRE_BAD_LENGTH;
        opt.name = get_string(p, len, &at);
        opt.value = opt.name ? get_string(p, len, &at) : NULL;
        if (!opt.value)
            return WIRE_TRUNCATED;
        m->options[m->n_options++] = opt;
    }
    return (int)at;
}

int tftp_decode(TftpMsg *out, const uint8_t *p, size_t len)
{
    TftpMsg m = {0};
    size_t at = 2;
    int end;

    if (len < 2)
        return WIRE_TRUNCATED;
    m.op = wire_get16(p);
    switch (m.op) {
    case TFTP_RRQ:
    case TFTP_WRQ:
        m.filename = get_string(p, len, &at);
        m.mode = m.filename ? get_string(p, len, &at) : NULL;
        if (!m.mode)
            return WIRE_TRUNCATED;
        end = decode_options(&m, p, len, at);
        break;
    case TFTP_OACK:
        end = decode_options(&m, p, len, at);
        break;
    case TFTP_DATA:
    case TFTP_ACK:
        if (len < 4)
            return WIRE_TRUNCATED;
        m.block = wire_get16(p + 2);
        end = 4;
        if (m.op == TFTP_DATA) {
            m.data = p + 4;
            m.data_len = len - 4;
            end = (int)len;
        }
        break;
    case TFTP_ERROR:
        if (len < 4)
            return WIRE_TRUNCATED;
        m.error_code = wire_get16(p + 2);
        at = 4;
        m.error_msg = get_string(p, len, &at);
        if (!m.error_msg)
            return WIRE_TRUNCATED;
        end = (int)at;
        break;
    default:
        return WIRE_BAD_VALUE;
    }
    if (end < 0)
        return end;
    *out = m;
    return end;
}

static size_t options_len(const TftpMsg *m)
{
    size_t len = 0;

    for (unsigned i = 0; i < m->n_options; i++)
        len += strlen(m->options[i].name) + strlen(m->options[i].value) + 2;
    return len;
}

size_t tftp_encoded_len(const TftpMsg *m)
{
    switch (m->op) {
    case TFTP_RRQ:
    case TFTP_WRQ:
        return 2 + strlen(m->filename) + strlen(m->mode) + 2 + options_len(m);
    case TFTP_OACK:
        return 2 + options_len(m);
    case TFTP_DATA:
        return 4 + m->data_len;
    case TFTP_ERROR:
        return 4 + strlen(m->error_msg) + 1;
    default:
        return 4;
    }
}

static uint8_t *put_string(uint8_t *p, const char *s)
{
    size_t n = strlen(s) + 1;

    memcpy(p, s, n);
    return p + n;
}

size_t tftp_encode(uint8_t *p, const TftpMsg *m)
{
    uint8_t *at = p + 2;

    wire_put16(p, m->op);
    switch (m->op) {
    case TFTP_RRQ:
    case TFTP_WRQ:
        at = put_string(put_string(at, m->filename), m->mode);
        break;
    case TFTP_DATA:
        wire_put16(at, m->block);
        at += 2;
        if (m->data_len)
            memcpy(at, m->data, m->data_len);
        at += m->data_len;
        break;
    case TFTP_ERROR:
        wire_put16(at, m->error_code);
        at = put_string(at + 2, m->error_msg);
        break;
    case TFTP_OACK:
        break;
    default:
        wire_put16(at, m->block);
        at += 2;
        break;
    }
    if (m->op == TFTP_RRQ || m->op == TFTP_WRQ || m->op == TFTP_OACK)
        for (unsigned i = 0; i < m->n_options; i++)
            at = put_string(put_string(at, m->options[i].name), m->options[i].value);
    return (size_t)(at - p);
}

static const WireName op_names[] = {
    {TFTP_RRQ, "read request"},
    {TFTP_WRQ, "write request"},
    {TFTP_DATA, "data"},
    {TFTP_ACK, "acknowledgment"},
    {TFTP_ERROR, "error"},
    {TFTP_OACK, "option acknowledgment"},
    {0, NULL},
};
static const WireName error_names[] = {
    {0, "not defined"},
    {1, "file not found"},
    {2, "access violation"},
    {3, "disk full"},
    {4, "illegal operation"},
    {5, "unknown transfer ID"},
    {6, "file already exists"},
    {7, "no such user"},
    {8, "option negotiation failed"},
    {0, NULL},
};

const char *tftp_op_name(uint16_t op)
{
    return wire_name(op_names, op);
}

static const WireFieldDef op_field = {"op", "Operation", 0, 16, WIRE_UINT, "What the message is.", op_names};
static const WireFieldDef block_field = {
    "block", "Block", 16, 16, WIRE_UINT, "Counts from 1; a block shorter than the others is the last."};
static const WireFieldDef error_field = {
    "error", "Error code", 16, 16, WIRE_UINT, "Why the transfer ends.", error_names};

/* s points into the message; its zero belongs to the field. */
static void string_field(WireCursor *c, const char *name, const char *label, const char *s, const char *note)
{
    size_t len = strlen(s);
    const WireFieldDef def = {name,      label, (uint32_t)((const uint8_t *)s - c->p) * 8, (uint32_t)len * 8,
                              WIRE_TEXT, note};

    wire_field(c, WIRE_LAYER_TFTP, &def);
}

bool tftp_describe(WireCursor *c)
{
    const WireLayerId id = WIRE_LAYER_TFTP;
    TftpMsg m;
    int len = tftp_decode(&m, c->p, c->len);
    size_t told;

    if (len < 0)
        return wire_malformed(c, id, len == WIRE_TRUNCATED ? c->len : 0, len,
                              len == WIRE_BAD_VALUE    ? "an unknown operation"
                              : len == WIRE_BAD_LENGTH ? "more than eight options"
                                                       : "the message ends within a number or a text");
    told = m.op == TFTP_DATA ? 4 : (size_t)len;
    wire_begin(c, id, told);
    wire_field(c, id, &op_field);
    if (m.filename)
        string_field(c, "filename", "File name", m.filename, "Which file; the protocol knows no folders.");
    if (m.mode)
        string_field(c, "mode", "Mode", m.mode, "octet: as it is; netascii: line ends are converted.");
    if (m.op == TFTP_DATA || m.op == TFTP_ACK)
        wire_field(c, id, &block_field);
    if (m.op == TFTP_ERROR) {
        wire_field(c, id, &error_field);
        string_field(c, "message", "Message", m.error_msg, "The reason in words, for people.");
    }
    for (unsigned i = 0; i < m.n_options; i++) {
        string_field(c, "option", "Option", m.options[i].name, "An extension that is asked for (RFC 2347).");
        string_field(c, "value", "Option value", m.options[i].value, "Numbers are written as text.");
    }
    wire_end(c, id, told, WIRE_LAYER_DATA);
    return true;
}
