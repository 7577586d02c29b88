/* System calls: NAME(arguments) = RESULT [ERRNO] [(free text)], and the expressions in them. What an
 * expression means is not known here: pd_call.c evaluates it. */
#include <string.h>

#include "packetdrill/pd_parse_priv.h"

static PdExpr *parse_expr(PdParser *p, unsigned depth);

static PdExpr *new_expr(PdParser *p, PdExprKind kind)
{
    PdExpr *e = pd_arena_alloc(&p->arena, sizeof *e);

    e->kind = kind;
    e->loc = p->lex.tok.loc;
    e->value = p->lex.tok.value;
    e->text = p->lex.tok.text;
    e->text_len = p->lex.tok.text_len;
    return e;
}

static void set_children(PdParser *p, PdExpr *e, GPtrArray *children)
{
    e->n_children = children->len;
    e->child = pd_arena_alloc(&p->arena, children->len * sizeof(PdExpr *));
    if (children->len)
        memcpy(e->child, children->pdata, children->len * sizeof(PdExpr *));
    g_ptr_array_free(children, TRUE);
}

/* Elements with commas up to `close`; the opening mark has been taken. */
static bool parse_elements(PdParser *p, PdExpr *e, char close, unsigned depth)
{
    GPtrArray *children = g_ptr_array_new();
    bool ok = true;

    while (ok && !pd_parser_is_punct(p, close)) {
        PdExpr *child = parse_expr(p, depth + 1);

        ok = child != NULL;
        if (!ok)
            break;
        g_ptr_array_add(children, child);
        if (pd_parser_is_punct(p, ',')) {
            pd_lex_next(&p->lex);
            ok = !pd_parser_is_punct(p, close) || pd_parser_expected(p, "an element behind ','");
        } else if (!pd_parser_is_punct(p, close)) {
            ok = pd_parser_take_punct(p, close, "or ',' behind an element");
        }
    }
    set_children(p, e, children);
    if (ok)
        pd_lex_next(&p->lex);
    return ok;
}

static PdExpr *parse_string(PdParser *p)
{
    PdExpr *e = new_expr(p, PD_EXPR_STRING);

    pd_lex_next(&p->lex);
    if (p->lex.tok.kind == PD_TOKEN_STRING) {
        GString *s = g_string_new_len(e->text, (gssize)e->text_len);

        for (; p->lex.tok.kind == PD_TOKEN_STRING; pd_lex_next(&p->lex))
            g_string_append_len(s, p->lex.tok.text, (gssize)p->lex.tok.text_len);
        e->text = pd_arena_strndup(&p->arena, s->str, s->len);
        e->text_len = s->len;
        g_string_free(s, TRUE);
    }
    return e;
}

/* sizeof(struct linger): the words of a type with one blank between them, or a text, are its only child. */
static PdExpr *parse_sizeof(PdParser *p, PdExpr *e)
{
    const PdToken *t = &p->lex.tok;
    GPtrArray *children = g_ptr_array_new();
    GString *type;

    e->kind = PD_EXPR_APPLY;
    pd_lex_next(&p->lex);
    if (t->kind == PD_TOKEN_STRING) {
        g_ptr_array_add(children, parse_string(p));
    } else {
        PdExpr *name = new_expr(p, PD_EXPR_WORD);

        type = g_string_new(NULL);
        for (; t->kind == PD_TOKEN_WORD || pd_parser_is_punct(p, '*'); pd_lex_next(&p->lex))
            g_string_append_printf(type, "%s%s", type->len ? " " : "",
                                   t->kind == PD_TOKEN_WORD ? t->text : "*");
        name->text = pd_arena_strndup(&p->arena, type->str, type->len);
        name->text_len = type->len;
        g_string_free(type, TRUE);
        if (name->text_len)
            g_ptr_array_add(children, name);
    }
    set_children(p, e, children);
    if (e->n_children == 0) {
        pd_parser_expected(p, "a type's name in sizeof()");
        return NULL;
    }
    return pd_parser_take_punct(p, ')', "behind the type in sizeof()") ? e : NULL;
}

/* "=>", as strace writes [128 => 16]. */
static bool is_arrow(const PdParser *p)
{
    return pd_parser_is_punct(p, '=') && p->lex.pos < p->lex.len && p->lex.text[p->lex.pos] == '>';
}

/* A word alone, name(…), or name = value. */
static PdExpr *parse_named(PdParser *p, unsigned depth)
{
    PdExpr *e = new_expr(p, PD_EXPR_WORD), *pair;

    pd_lex_next(&p->lex);
    if (pd_parser_is_punct(p, '(') && strcmp(e->text, "sizeof") == 0)
        return parse_sizeof(p, e);
    if (pd_parser_is_punct(p, '(')) {
        e->kind = PD_EXPR_APPLY;
        pd_lex_next(&p->lex);
        if (!parse_elements(p, e, ')', depth))
            return NULL;
    }
    if (!pd_parser_is_punct(p, '=') || is_arrow(p) || depth == 0)
        return e;
    pd_lex_next(&p->lex);
    pair = pd_arena_alloc(&p->arena, sizeof *pair);
    *pair = *e;
    pair->kind = PD_EXPR_PAIR;
    pair->name_braces = e->kind == PD_EXPR_APPLY;
    pair->n_children = pair->name_braces ? 2 : 1;
    pair->child = pd_arena_alloc(&p->arena, 2 * sizeof(PdExpr *));
    pair->child[1] = pair->name_braces ? e : NULL;
    pair->child[0] = parse_expr(p, depth + 1);
    return pair->child[0] ? pair : NULL;
}

static PdExpr *parse_operand(PdParser *p, unsigned depth)
{
    const PdToken *t = &p->lex.tok;
    PdExpr *e;

    switch (t->kind) {
    case PD_TOKEN_ELLIPSIS:
        e = new_expr(p, PD_EXPR_ELLIPSIS);
        pd_lex_next(&p->lex);
        return e;
    case PD_TOKEN_INT:
        e = new_expr(p, PD_EXPR_INT);
        pd_lex_next(&p->lex);
        return e;
    case PD_TOKEN_FLOAT:
        e = new_expr(p, PD_EXPR_FLOAT);
        pd_lex_next(&p->lex);
        return e;
    case PD_TOKEN_STRING:
        return parse_string(p);
    case PD_TOKEN_WORD:
        return parse_named(p, depth);
    case PD_TOKEN_PUNCT:
        if (t->value == '[' || t->value == '{') {
            char close = t->value == '[' ? ']' : '}';

            e = new_expr(p, PD_EXPR_LIST);
            e->in_braces = close == '}';
            pd_lex_next(&p->lex);
            return parse_elements(p, e, close, depth) ? e : NULL;
        }
        if (t->value == '&') { /* strace's inet_pton(…, &sin6_addr) */
            pd_lex_next(&p->lex);
            if (t->kind == PD_TOKEN_WORD)
                return parse_named(p, 0);
            pd_parser_expected(p, "a name behind '&'");
            return NULL;
        }
        if (t->value == '(') {
            pd_lex_next(&p->lex);
            e = parse_expr(p, depth + 1);
            return e && pd_parser_take_punct(p, ')', "behind an expression") ? e : NULL;
        }
        break;
    default:
        break;
    }
    pd_parser_expected(p, "an expression (..., a number, a name, a string or a list)");
    return NULL;
}

static PdExpr *parse_expr(PdParser *p, unsigned depth)
{
    PdExpr *left;

    if (depth > PD_MAX_DEPTH) {
        pd_parser_fail(p, p->lex.tok.loc, "lists are nested deeper than %d", PD_MAX_DEPTH);
        return NULL;
    }
    left = parse_operand(p, depth);
    while (left && left->kind != PD_EXPR_PAIR && pd_parser_is_punct(p, '|')) {
        PdExpr *e = new_expr(p, PD_EXPR_OR);

        pd_lex_next(&p->lex);
        e->child = pd_arena_alloc(&p->arena, 2 * sizeof(PdExpr *));
        e->n_children = 2;
        e->child[0] = left;
        e->child[1] = parse_operand(p, depth);
        left = e->child[1] ? e : NULL;
    }
    if (left && left->kind != PD_EXPR_PAIR && depth > 0 && is_arrow(p)) {
        PdExpr *e = new_expr(p, PD_EXPR_BECOMES);

        pd_lex_next(&p->lex);
        pd_lex_next(&p->lex);
        e->child = pd_arena_alloc(&p->arena, 2 * sizeof(PdExpr *));
        e->n_children = 2;
        e->child[0] = left;
        e->child[1] = parse_expr(p, depth + 1);
        left = e->child[1] ? e : NULL;
    }
    return left;
}

static bool parse_result(PdParser *p, PdSyscall *call)
{
    const PdToken *t = &p->lex.tok;

    if (t->kind != PD_TOKEN_INT && t->kind != PD_TOKEN_ELLIPSIS && t->kind != PD_TOKEN_WORD)
        return pd_parser_expected(p, "the call's result, a number");
    call->result = parse_expr(p, 0);
    if (!call->result)
        return false;
    if (t->kind == PD_TOKEN_WORD) {
        call->err = t->text;
        call->err_loc = t->loc;
        pd_lex_next(&p->lex);
    }
    if (pd_parser_is_punct(p, '(')) {
        call->note = pd_lex_parenthesised(&p->lex);
        if (!call->note)
            return pd_parser_expected(p, "')' behind the text");
    }
    return true;
}

bool pd_parse_syscall(PdParser *p, PdSyscall *call)
{
    PdExpr args = {0};

    call->name = p->lex.tok.text;
    pd_lex_next(&p->lex);
    if (!pd_parser_take_punct(p, '(', "behind the name of a system call"))
        return false;
    if (!parse_elements(p, &args, ')', 0))
        return false;
    call->arg = args.child;
    call->n_args = args.n_children;
    return pd_parser_take_punct(p, '=', "and the result of the call") && parse_result(p, call);
}
