/* What the interpreter's statements and expressions share. */
#pragma once

#include "packetdrill/pd_code.h"
#include "packetdrill/pd_lex.h"

typedef enum ValueKind { VALUE_NONE, VALUE_BOOL, VALUE_INT, VALUE_FLOAT, VALUE_TEXT, VALUE_TUPLE } ValueKind;

typedef struct PdValue PdValue;
struct PdValue {
    ValueKind kind;
    __int128 i; /* BOOL, INT: 64-bit counters never overflow in sums and products of two */
    double f;
    const char *text; /* in the arena */
    PdValue *item;
    unsigned n_items;
};

typedef enum CodeTokenKind {
    CODE_END,
    CODE_NEWLINE,
    CODE_NUMBER,
    CODE_NAME,
    CODE_TEXT,
    CODE_OP,
    CODE_WRONG
} CodeTokenKind;

typedef struct CodeToken {
    CodeTokenKind kind;
    unsigned line;
    PdValue value;     /* NUMBER */
    const char *text;  /* NAME, TEXT, OP ("==", "**"), WRONG: what is wrong */
    bool is_formatted; /* TEXT: f'…' */
} CodeToken;

typedef struct PdVariable {
    const char *name;
    PdValue value;
} PdVariable;

struct PdCode {
    GHashTable *names; /* -> index + 1 in variables: looked up, never walked */
    GArray *variables;
    PdArena arena;
    /* of the block that runs */
    const char *at, *end;
    unsigned line, depth, brackets;
    CodeToken tok;
    char *error;
    unsigned error_line;
    bool is_assertion; /* the error */
};

/* Always false. */
bool pd_code_fail(PdCode *c, unsigned line, const char *format, ...) HS_PRINTF(3, 4);
void pd_code_next(PdCode *c);
bool pd_code_is_op(const PdCode *c, const char *op);
bool pd_code_is_name(const PdCode *c, const char *name);
bool pd_code_expected(PdCode *c, const char *what);
/* Behind one of several values in brackets: a comma, which it skips, or the end. */
bool pd_code_skip_comma(PdCode *c, const char *close);
const PdVariable *pd_code_find(PdCode *c, const char *name);
void pd_code_set(PdCode *c, const char *name, PdValue v);

/* A whole expression; a comma ends it. */
bool pd_code_expr(PdCode *c, PdValue *out);
/* ---- operators (pd_code_op.c); false: it failed ---- */

/* left OP right; op: "+", "-", … */
bool pd_code_binary(PdCode *c, unsigned line, const char *op, const PdValue *left, const PdValue *right,
                    PdValue *out);
bool pd_code_integer_op(PdCode *c, unsigned line, const char *op, __int128 a, __int128 b, PdValue *out);
/* op: "==", "<=", … */
bool pd_code_compare(PdCode *c, unsigned line, const char *op, const PdValue *a, const PdValue *b, bool *out);

/* ---- values (pd_code_value.c) ---- */

bool pd_value_is_true(const PdValue *v);
bool pd_value_is_integer(const PdValue *v); /* or a truth value */
bool pd_value_is_number(const PdValue *v);
double pd_value_as_double(const PdValue *v);      /* of a number */
const char *pd_value_kind_name(const PdValue *v); /* for messages */
PdValue pd_value_bool(bool b);
bool pd_value_int(PdCode *c, unsigned line, bool overflow, __int128 v, PdValue *out);
bool pd_value_take_text(PdCode *c, unsigned line, GString *s, PdValue *out); /* frees s */
void pd_value_format(GString *out, const PdValue *v, bool quoted);
/* 'text %d' % args */
bool pd_value_format_text(PdCode *c, unsigned line, const char *format, const PdValue *args, PdValue *out);
