/* What the interpreter's statements and expressions share. */
#pragma once

#include "packetdrill/pd_code.h"
#include "packetdrill/pd_lex.h"

typedef enum ValueKind {
    VALUE_NONE,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_TEXT,
    VALUE_TUPLE,
    VALUE_WRONG
} ValueKind;

typedef struct PdValue PdValue;
struct PdValue {
    ValueKind kind;
    __int128 i; /* BOOL, INT: 64-bit counters never overflow in sums and products of two */
    double f;
    const char *text; /* in the arena. WRONG: what is wrong, in line i */
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

/* Where the interpreter reads, to come back to. */
typedef struct CodePlace {
    const char *at;
    unsigned line, brackets, depth;
    CodeToken tok;
} CodePlace;

/* What stood between brackets: no comma, commas, x for x in … */
typedef enum CodeItems { ITEMS_ONE, ITEMS_MANY, ITEMS_GENERATED } CodeItems;

typedef enum CodeJump { JUMP_NONE, JUMP_BREAK, JUMP_CONTINUE } CodeJump;

#define PD_CODE_MAX_DEPTH 100
#define PD_CODE_MAX_ITEMS 10000
#define PD_CODE_TARGETS 8 /* names on the left of one '=' */

struct PdCode {
    GHashTable *names; /* -> index + 1 in variables: looked up, never walked */
    GArray *variables;
    PdArena arena;
    /* of the block that runs */
    const char *at, *end;
    unsigned line, depth, brackets, loops, steps;
    CodeJump jump;    /* a loop's body is being left */
    PdValue assigned; /* by the innermost of a = b = … */
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

/* *out is that mistake. Always true. */
bool pd_code_wrong(PdCode *c, PdValue *out, unsigned line, const char *format, ...) HS_PRINTF(4, 5);
/* A value that is wanted: fails when it is a mistake. */
bool pd_code_settle(PdCode *c, const PdValue *v);
/* One more turn of a loop; fails when there were too many. */
bool pd_code_step(PdCode *c);

/* ---- expressions (pd_code_expr.c); false: the text is wrong. Values may be WRONG. ---- */

/* A whole expression; a comma ends it. */
bool pd_code_expr(PdCode *c, PdValue *out);
bool pd_code_operand(PdCode *c, PdValue *out); /* without if … else */
/* From the opening bracket behind the closing one: a tuple, or one of the mistakes in it. */
bool pd_code_items(PdCode *c, const char *close, PdValue *out, CodeItems *kind);
/* Names with commas, and parentheses perhaps; name[PD_CODE_TARGETS]. false: something else stands here. */
bool pd_code_targets(PdCode *c, const char **name, unsigned *n);
bool pd_code_bind(PdCode *c, unsigned line, const char *const *name, unsigned n, const PdValue *v);
bool pd_code_deeper(PdCode *c);
CodePlace pd_code_place(const PdCode *c);
void pd_code_goto(PdCode *c, const CodePlace *place);

/* ---- functions (pd_code_call.c) ---- */

/* name(…), at the '('. */
bool pd_code_call(PdCode *c, const char *name, unsigned line, PdValue *out);
/* of.name(…), at the name. */
bool pd_code_method(PdCode *c, const PdValue *of, PdValue *out);
/* of[index]; index: a tuple of one. */
void pd_code_subscript(PdCode *c, unsigned line, const PdValue *of, const PdValue *index, PdValue *out);

/* ---- statements (pd_code_stmt.c) ---- */

bool pd_code_block(PdCode *c, GString *output);

/* ---- operators (pd_code_op.c): always true, *out may be WRONG ---- */

/* left OP right; op: "+", "-", … */
bool pd_code_binary(PdCode *c, unsigned line, const char *op, const PdValue *left, const PdValue *right,
                    PdValue *out);
bool pd_code_integer_op(PdCode *c, unsigned line, const char *op, __int128 a, __int128 b, PdValue *out);
/* op: "==", "<=", "in", "not in" … */
bool pd_code_compare(PdCode *c, unsigned line, const char *op, const PdValue *a, const PdValue *b,
                     PdValue *out);

/* ---- values (pd_code_value.c) ---- */

bool pd_value_is_true(const PdValue *v);
bool pd_value_is_integer(const PdValue *v); /* or a truth value */
bool pd_value_is_number(const PdValue *v);
double pd_value_as_double(const PdValue *v);      /* of a number */
const char *pd_value_kind_name(const PdValue *v); /* for messages */
PdValue pd_value_bool(bool b);
/* item NULL: to be filled in. The first mistake among them, when there is one. */
PdValue pd_value_tuple(PdCode *c, const PdValue *item, unsigned n);
bool pd_value_int(PdCode *c, unsigned line, bool overflow, __int128 v, PdValue *out);
bool pd_value_take_text(PdCode *c, unsigned line, GString *s, PdValue *out); /* frees s */
void pd_value_format(GString *out, const PdValue *v, bool quoted);
/* 'text %d' % args */
bool pd_value_format_text(PdCode *c, unsigned line, const char *format, const PdValue *args, PdValue *out);
/* '{:spec}' for one value, appended; *wrong is set only when there is a mistake. */
void pd_value_format_spec(PdCode *c, unsigned line, GString *out, const char *spec, const PdValue *v,
                          PdValue *wrong);
