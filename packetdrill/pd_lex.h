/* The words of a packetdrill script. Newlines are blanks; comments are // … and C's; a defined word is
 * replaced while it is read. Positions that are no words of their own (TCP flags, hexadecimal cookies, flag
 * values) are read as raw text, from the place where the next token begins. */
#pragma once

#include <glib.h>

#include "packetdrill/pd_ast.h"
#include "sim/base/base.h"

/* -D NAME=VALUE; the last definition of a name holds. */
typedef struct PdDefine {
    char *name, *value;
} PdDefine;

typedef struct PdDefines {
    GArray *list; /* of PdDefine */
} PdDefines;

void pd_defines_init(PdDefines *d);
void pd_defines_clear(PdDefines *d);
void pd_defines_add(PdDefines *d, const char *name, const char *value);
const char *pd_defines_find(const PdDefines *d, const char *name); /* NULL: not defined */

/* Memory that lives as long as the script. */
typedef struct PdArena {
    GPtrArray *blocks;
} PdArena;

void *pd_arena_alloc(PdArena *a, size_t size); /* zeroed */
char *pd_arena_strndup(PdArena *a, const char *s, size_t len);

typedef enum PdTokenKind {
    PD_TOKEN_END,
    PD_TOKEN_INT,     /* value; micros */
    PD_TOKEN_FLOAT,   /* micros */
    PD_TOKEN_WORD,    /* text */
    PD_TOKEN_STRING,  /* text, without quotes, escapes resolved */
    PD_TOKEN_COMMAND, /* text, between back quotes */
    PD_TOKEN_CODE,    /* text, between %{ and }%, blanks at the ends stripped */
    PD_TOKEN_ELLIPSIS,
    PD_TOKEN_PUNCT, /* value: the character */
    PD_TOKEN_WRONG, /* text: what is wrong */
} PdTokenKind;

typedef struct PdToken {
    PdTokenKind kind;
    PdLoc loc;
    size_t start, end; /* offsets in the script */
    unsigned end_line;
    int64_t value;
    int64_t micros; /* numbers as seconds, cut to microseconds */
    bool too_large; /* the seconds do not fit */
    const char *text;
    size_t text_len;
} PdToken;

typedef struct PdLex {
    const char *text;
    size_t len;
    size_t pos; /* behind the token */
    PdLoc loc;  /* of pos */
    PdToken tok;
    unsigned last_line; /* where the token before `tok` ended */
    const PdDefines *defines;
    PdArena *arena;
} PdLex;

void pd_lex_init(PdLex *l, const char *text, size_t len, const PdDefines *defines, PdArena *arena);
/* Reads the next token into l->tok. */
void pd_lex_next(PdLex *l);
/* The text from the token's start up to the first character of `stop` (blanks always stop); the lexer then
 * stands behind it, with l->tok the token after. Empty: the very first one stops. Quoted blanks do not stop
 * when `quotes`. */
const char *pd_lex_raw(PdLex *l, const char *stop, bool quotes, PdLoc *loc);
/* Free text up to the ')' that closes the '(' at l->tok; NULL when it never comes. */
const char *pd_lex_parenthesised(PdLex *l);
/* "'('", "the number 42", "end of file": what was found, for messages. */
char *pd_lex_found(const PdLex *l);
