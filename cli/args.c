#include "cli/args.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "sim/base/suggest.h"
#include "sim/base/units.h"

/* Where an option's text ends and its explanation begins. */
#define HELP_COLUMN 27
#define HELP_WIDTH 100

static const ArgOption help_option = {"help", 'h', ARG_FLAG, NULL, "show this help", NULL, NULL, NULL};

/* ---- help ---- */

static void print_wrapped(const char *text, int indent, int at)
{
    char **words = g_strsplit(text, " ", -1);
    bool first = true;

    for (char **w = words; *w; w++) {
        int n = (int)g_utf8_strlen(*w, -1);

        if (!first && at + 1 + n > HELP_WIDTH) {
            printf("\n%*s", indent, "");
            at = indent;
            first = true;
        }
        printf("%s%s", first ? "" : " ", *w);
        at += n + !first;
        first = false;
    }
    putchar('\n');
    g_strfreev(words);
}

/* Lines that begin with blanks are a list: "  w1    what it is", wrapped under "what". */
static void print_about(const char *about)
{
    char **lines = g_strsplit(about, "\n", -1);

    for (char **line = lines; *line; line++) {
        size_t lead = strspn(*line, " ");

        if (lead > 0) {
            lead += strcspn(*line + lead, " ");
            lead += strspn(*line + lead, " ");
        }
        printf("%.*s", (int)lead, *line);
        print_wrapped(*line + lead, (int)lead, (int)lead);
    }
    g_strfreev(lines);
}

static void print_option(const ArgOption *o)
{
    GString *s = g_string_new("  ");
    int width;

    if (o->letter)
        g_string_append_printf(s, "-%c, ", o->letter);
    else
        g_string_append(s, "    ");
    g_string_append_printf(s, "--%s", o->name);
    if (o->kind == ARG_OPTIONAL || o->kind == ARG_OPTIONAL_LIST)
        g_string_append_printf(s, "[=%s]", o->value);
    else if (o->value)
        g_string_append_printf(s, " %s", o->value);
    width = (int)g_utf8_strlen(s->str, -1);
    if (width + 2 > HELP_COLUMN)
        printf("%s\n%*s", s->str, HELP_COLUMN, "");
    else
        printf("%s%*s", s->str, HELP_COLUMN - width, "");
    print_wrapped(o->help, HELP_COLUMN, HELP_COLUMN);
    g_string_free(s, TRUE);
}

static void print_help(const ArgCommand *c)
{
    printf("usage: hopscope %s%s%s [options]\n\n", c->name, *c->operands ? " " : "", c->operands);
    print_about(c->about);
    printf("\noptions:\n");
    for (const ArgOption *o = c->options; o->name; o++)
        print_option(o);
    print_option(&help_option);
    if (c->examples)
        printf("\nexamples:\n%s", c->examples);
}

/* ---- errors ---- */

int args_wrong(const ArgCommand *command, const char *format, ...)
{
    va_list ap;
    char *text;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    fprintf(stderr, "hopscope %s: %s\nTry 'hopscope %s --help'.\n", command->name, text, command->name);
    g_free(text);
    return 2;
}

static ArgsResult unknown_option(const ArgCommand *c, const char *name, size_t len)
{
    GPtrArray *known = g_ptr_array_new();
    char *word = g_strndup(name, len);
    const char *closest;

    for (const ArgOption *o = c->options; o->name; o++)
        g_ptr_array_add(known, (void *)o->name);
    g_ptr_array_add(known, (void *)help_option.name);
    closest = suggest_closest(word, (const char *const *)known->pdata, known->len);
    if (closest)
        args_wrong(c, "unknown option '--%s'; did you mean '--%s'?", word, closest);
    else
        args_wrong(c, "unknown option '--%s'", word);
    g_ptr_array_free(known, TRUE);
    g_free(word);
    return ARGS_WRONG;
}

/* ---- values ---- */

static bool is_choice(const ArgOption *o, const char *value, char **error)
{
    unsigned n = 0;
    const char *closest;
    char *list;

    for (; o->choices[n]; n++)
        if (!strcmp(o->choices[n], value))
            return true;
    closest = suggest_closest(value, o->choices, n);
    list = g_strjoinv(", ", (char **)o->choices);
    *error = closest ? g_strdup_printf("\"%s\" is none of %s; did you mean \"%s\"?", value, list, closest)
                     : g_strdup_printf("\"%s\" is none of %s", value, list);
    g_free(list);
    return false;
}

static bool store(const ArgOption *o, const char *value, char **error)
{
    switch (o->kind) {
    case ARG_FLAG:
    case ARG_NO_FLAG:
        *(bool *)o->out = o->kind == ARG_FLAG;
        return true;
    case ARG_STRING:
    case ARG_OPTIONAL:
        *(const char **)o->out = value ? value : "";
        return true;
    case ARG_LIST:
    case ARG_OPTIONAL_LIST:
        g_ptr_array_add(o->out, (void *)(value ? value : ""));
        return true;
    case ARG_COUNT:
        return units_parse_count(value, o->out, error);
    case ARG_SIZE:
        return units_parse_size(value, o->out, error);
    case ARG_TIME:
        return units_parse_time(value, o->out, error);
    case ARG_CHOICE:
        if (!is_choice(o, value, error))
            return false;
        *(const char **)o->out = value;
        return true;
    }
    return false;
}

static bool takes_value(const ArgOption *o)
{
    return o->kind != ARG_FLAG && o->kind != ARG_NO_FLAG;
}

static bool needs_value(const ArgOption *o)
{
    return takes_value(o) && o->kind != ARG_OPTIONAL && o->kind != ARG_OPTIONAL_LIST;
}

/* ---- the command line ---- */

typedef struct Line {
    const ArgCommand *command;
    int argc, at;
    char **argv;
    bool helped;
} Line;

static bool apply(Line *l, const ArgOption *o, const char *shown, const char *value)
{
    char *error = NULL;

    if (o == &help_option) {
        l->helped = true;
        return true;
    }
    if (!value && needs_value(o)) {
        if (l->at + 1 >= l->argc) {
            args_wrong(l->command, "option '%s' needs a value: %s", shown, o->value);
            return false;
        }
        value = l->argv[++l->at];
    }
    if (!store(o, value, &error)) {
        args_wrong(l->command, "%s: %s", shown, error);
        g_free(error);
        return false;
    }
    if (o->given)
        *o->given = true;
    return true;
}

static bool parse_long(Line *l, const char *arg)
{
    const char *equals = strchr(arg, '=');
    size_t len = equals ? (size_t)(equals - arg) : strlen(arg);
    const ArgOption *o = l->command->options;
    char *shown;
    bool ok;

    while (o->name && (strlen(o->name) != len || memcmp(o->name, arg, len)))
        o++;
    if (!o->name && len == strlen(help_option.name) && !memcmp(arg, help_option.name, len))
        o = &help_option;
    if (!o->name)
        return unknown_option(l->command, arg, len) == ARGS_OK;
    shown = g_strdup_printf("--%s", o->name);
    if (equals && !takes_value(o)) {
        args_wrong(l->command, "option '%s' takes no value, not '%s'", shown, equals + 1);
        ok = false;
    } else {
        ok = apply(l, o, shown, equals ? equals + 1 : NULL);
    }
    g_free(shown);
    return ok;
}

static bool parse_letters(Line *l, const char *letters)
{
    for (; *letters; letters++) {
        const ArgOption *o = l->command->options;
        char shown[3] = {'-', *letters, 0};

        while (o->name && o->letter != *letters)
            o++;
        if (!o->name && *letters == help_option.letter)
            o = &help_option;
        if (!o->name) {
            args_wrong(l->command, "unknown option '%s'", shown);
            return false;
        }
        if (takes_value(o) && letters[1])
            return apply(l, o, shown, letters + 1);
        if (!apply(l, o, shown, NULL))
            return false;
    }
    return true;
}

ArgsResult args_parse(const ArgCommand *c, int argc, char **argv, const char **operands)
{
    Line l = {.command = c, .argc = argc, .argv = argv};
    bool options_over = false;
    unsigned n = 0;

    for (l.at = 1; l.at < argc; l.at++) {
        const char *arg = argv[l.at];

        if (options_over || arg[0] != '-' || !arg[1]) {
            if (n == c->max_operands) {
                args_wrong(c, "unexpected operand '%s'; expected %s", arg,
                           *c->operands ? c->operands : "options only");
                return ARGS_WRONG;
            }
            operands[n++] = arg;
        } else if (!strcmp(arg, "--")) {
            options_over = true;
        } else if (arg[1] == '-' ? !parse_long(&l, arg + 2) : !parse_letters(&l, arg + 1)) {
            return ARGS_WRONG;
        }
        if (l.helped) {
            print_help(c);
            return ARGS_HELPED;
        }
    }
    operands[n] = NULL;
    if (n < c->min_operands) {
        args_wrong(c, "missing operand; expected %s", c->operands);
        return ARGS_WRONG;
    }
    return ARGS_OK;
}
