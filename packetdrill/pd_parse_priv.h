/* What the files of the parser share. The first error ends everything: functions return false from then on.
 */
#pragma once

#include "packetdrill/pd_parse.h"

typedef struct PdParser {
    PdLex lex;
    PdScript *script;
    PdConfig *config;
    PdArena arena;
    char *error;
} PdParser;

#define PD_MAX_DEPTH 64 /* of lists in lists */

/* "FILE:LINE:COL: …"; always false. */
bool pd_parser_fail(PdParser *p, PdLoc loc, const char *format, ...) HS_PRINTF(3, 4);
/* "expected WHAT, found …" at the present token; always false. */
bool pd_parser_expected(PdParser *p, const char *what);

bool pd_parser_is_punct(const PdParser *p, char c);
bool pd_parser_is_word(const PdParser *p, const char *word);
bool pd_parser_take_punct(PdParser *p, char c, const char *where);
/* An integer of 0 to max. what: "a window". */
bool pd_parser_take_uint(PdParser *p, const char *what, uint64_t max, uint64_t *out);

bool pd_parse_packet(PdParser *p, PdPacket *packet);                 /* at '<' or '>' */
bool pd_parse_tcp_options(PdParser *p, PdTcp *tcp, PdDirection dir); /* at '<' */
bool pd_parse_icmp(PdParser *p, PdPacket *packet);                   /* behind the word icmp */
/* "1:1001(1000)", or a bare "(1000)" where seq is NULL. */
bool pd_parse_seq_range(PdParser *p, uint32_t *seq, uint32_t *len);
bool pd_parse_length(PdParser *p, uint32_t *len);
bool pd_parse_syscall(PdParser *p, PdSyscall *call); /* at its name */
