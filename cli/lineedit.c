#include "cli/lineedit.h"

#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "sim/base/base.h"
#include "view/textwidth.h"

#define HISTORY_MAX 1000
#define COLUMNS_DEFAULT 80

struct LineEdit {
    LineEditComplete complete;
    void *user;
    GPtrArray *history;
    GString *line;
    gsize at;      /* byte before which the cursor stands */
    unsigned past; /* how far back in history; 0: the new line */
    char *kept;    /* the new line while an old one is shown */
    const char *prompt;
};

enum {
    KEY_CTRL_A = 1,
    KEY_CTRL_B,
    KEY_CTRL_C,
    KEY_CTRL_D,
    KEY_CTRL_E,
    KEY_CTRL_F,
    KEY_CTRL_H = 8,
    KEY_TAB,
    KEY_NEWLINE,
    KEY_CTRL_K,
    KEY_CTRL_L,
    KEY_RETURN,
    KEY_CTRL_N,
    KEY_CTRL_P = 16,
    KEY_CTRL_U = 21,
    KEY_CTRL_W = 23,
    KEY_ESCAPE = 27,
    KEY_BACKSPACE = 127,
    KEY_UP = 256,
    KEY_DOWN,
    KEY_RIGHT,
    KEY_LEFT,
    KEY_HOME,
    KEY_END,
    KEY_DELETE,
    KEY_OTHER,
    KEY_EOF
};

LineEdit *lineedit_new(LineEditComplete complete, void *user)
{
    LineEdit *e = g_new0(LineEdit, 1);

    e->complete = complete;
    e->user = user;
    e->history = g_ptr_array_new_with_free_func(g_free);
    e->line = g_string_new(NULL);
    return e;
}

void lineedit_free(LineEdit *e)
{
    g_ptr_array_free(e->history, TRUE);
    g_string_free(e->line, TRUE);
    g_free(e->kept);
    g_free(e);
}

/* ---- the screen ---- */

static bool is_inside_char(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static unsigned terminal_columns(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : COLUMNS_DEFAULT;
}

/* Columns that the text takes, without escape sequences. */
static unsigned shown_width(const char *text)
{
    g_autoptr(GString) plain = g_string_new(NULL);

    while (*text)
        if (*text == '\033') {
            text += strcspn(text, "m");
            text += *text == 'm';
        } else {
            g_string_append_c(plain, *text++);
        }
    return textwidth_columns(plain->str);
}

static unsigned width_between(const char *from, const char *to)
{
    g_autofree char *part = g_strndup(from, (gsize)(to - from));

    return shown_width(part);
}

/* One line of the screen, however long the text is: of that the part around the cursor is shown. The
 * terminal's width is asked for each time: windows are resized. */
static void redraw(const LineEdit *e)
{
    unsigned room = terminal_columns() - 1, used = shown_width(e->prompt);
    const char *from = e->line->str, *at = e->line->str + e->at, *to = at;

    room = room > used + 10 ? room - used : 10;
    while (width_between(from, at) > room - 2)
        from = g_utf8_next_char(from);
    while (*to && width_between(from, g_utf8_next_char(to)) <= room)
        to = g_utf8_next_char(to);
    printf("\r%s%.*s\033[K", e->prompt, (int)(to - from), from);
    if (to > at)
        printf("\033[%uD", width_between(at, to));
    fflush(stdout);
}

/* ---- keys ---- */

static int read_byte(void)
{
    unsigned char c;
    ssize_t n;

    do
        n = read(STDIN_FILENO, &c, 1);
    while (n < 0 && errno == EINTR);
    return n == 1 ? c : KEY_EOF;
}

/* Behind ESC [ or ESC O. */
static int read_sequence(void)
{
    int c = read_byte(), number = 0;

    while (c >= '0' && c <= '9') {
        number = (number * 10 + c - '0') % 100;
        c = read_byte();
    }
    while (c == ';' || (c >= '0' && c <= '9'))
        c = read_byte();
    switch (c) {
    case 'A':
        return KEY_UP;
    case 'B':
        return KEY_DOWN;
    case 'C':
        return KEY_RIGHT;
    case 'D':
        return KEY_LEFT;
    case 'H':
        return KEY_HOME;
    case 'F':
        return KEY_END;
    case '~':
        return number == 3                  ? KEY_DELETE
               : number == 1 || number == 7 ? KEY_HOME
               : number == 4 || number == 8 ? KEY_END
                                            : KEY_OTHER;
    default:
        return c == KEY_EOF ? KEY_EOF : KEY_OTHER;
    }
}

static int read_key(void)
{
    int c = read_byte();

    if (c != KEY_ESCAPE)
        return c;
    c = read_byte();
    return c == '[' || c == 'O' ? read_sequence() : c == KEY_EOF ? KEY_EOF : KEY_OTHER;
}

/* ---- editing ---- */

static void move(LineEdit *e, int direction)
{
    if (direction < 0 && e->at > 0)
        do
            e->at--;
        while (e->at > 0 && is_inside_char(e->line->str[e->at]));
    else if (direction > 0 && e->at < e->line->len)
        do
            e->at++;
        while (is_inside_char(e->line->str[e->at]));
}

static void erase_to(LineEdit *e, gsize other)
{
    gsize from = MIN(e->at, other), to = MAX(e->at, other);

    g_string_erase(e->line, (gssize)from, (gssize)(to - from));
    e->at = from;
}

static void erase_char(LineEdit *e, int direction)
{
    gsize from = e->at;

    move(e, direction);
    erase_to(e, from);
}

static void erase_word(LineEdit *e)
{
    gsize to = e->at;

    while (to > 0 && e->line->str[to - 1] == ' ')
        to--;
    while (to > 0 && e->line->str[to - 1] != ' ')
        to--;
    erase_to(e, to);
}

static void recall(LineEdit *e, int direction)
{
    if ((direction > 0 && e->past == e->history->len) || (direction < 0 && !e->past))
        return;
    if (!e->past) {
        g_free(e->kept);
        e->kept = g_strdup(e->line->str);
    }
    e->past += (unsigned)direction;
    g_string_assign(e->line, e->past ? e->history->pdata[e->history->len - e->past] : e->kept);
    e->at = e->line->len;
}

/* In columns, as many as the terminal has room for. */
static void list_words(char **word)
{
    unsigned widest = 0, n = g_strv_length(word), across, down;

    for (unsigned i = 0; i < n; i++)
        widest = HS_MAX(widest, shown_width(word[i]));
    across = HS_MAX(terminal_columns() / (widest + 2), 1);
    down = (n + across - 1) / across;
    printf("\n");
    for (unsigned row = 0; row < down; row++) {
        for (unsigned i = row; i < n; i += down)
            printf("%s%*s", word[i], i + down < n ? (int)(widest + 2 - shown_width(word[i])) : 0, "");
        printf("\n");
    }
}

/* Completes as far as all words agree; lists them where they do not. */
static void complete(LineEdit *e)
{
    g_autofree char *before = g_strndup(e->line->str, e->at);
    const char *last = strrchr(before, ' ');
    g_auto(GStrv) word = e->complete ? e->complete(e->user, before) : NULL;
    size_t have = strlen(last ? last + 1 : before), common;

    if (!word || !word[0])
        return;
    common = strlen(word[0]);
    for (char **w = word + 1; *w; w++)
        while (strncmp(word[0], *w, common) != 0)
            common--;
    if (common > have) {
        g_string_insert_len(e->line, (gssize)e->at, word[0] + have, (gssize)(common - have));
        e->at += common - have;
    }
    if (!word[1] && !g_str_has_suffix(word[0], "\"") && !g_str_has_suffix(word[0], "(")) {
        g_string_insert_c(e->line, (gssize)e->at, ' ');
        e->at++;
    } else if (word[1] && common == have) {
        list_words(word);
    }
}

/* true: the line is complete. */
static bool press(LineEdit *e, int key)
{
    switch (key) {
    case KEY_RETURN:
    case KEY_NEWLINE:
        return true;
    case KEY_CTRL_A:
    case KEY_HOME:
        e->at = 0;
        break;
    case KEY_CTRL_E:
    case KEY_END:
        e->at = e->line->len;
        break;
    case KEY_CTRL_B:
    case KEY_LEFT:
        move(e, -1);
        break;
    case KEY_CTRL_F:
    case KEY_RIGHT:
        move(e, 1);
        break;
    case KEY_CTRL_P:
    case KEY_UP:
        recall(e, 1);
        break;
    case KEY_CTRL_N:
    case KEY_DOWN:
        recall(e, -1);
        break;
    case KEY_CTRL_H:
    case KEY_BACKSPACE:
        erase_char(e, -1);
        break;
    case KEY_CTRL_D:
    case KEY_DELETE:
        erase_char(e, 1);
        break;
    case KEY_CTRL_K:
        erase_to(e, e->line->len);
        break;
    case KEY_CTRL_U:
        erase_to(e, 0);
        break;
    case KEY_CTRL_W:
        erase_word(e);
        break;
    case KEY_CTRL_L:
        printf("\033[H\033[2J");
        break;
    case KEY_TAB:
        complete(e);
        break;
    default:
        if (key >= ' ' && key < 256) {
            g_string_insert_c(e->line, (gssize)e->at, (char)key);
            e->at++;
        }
    }
    return false;
}

static void remember(LineEdit *e)
{
    const char *newest = e->history->len ? e->history->pdata[e->history->len - 1] : "";

    if (!e->line->len || !strcmp(newest, e->line->str))
        return;
    if (e->history->len == HISTORY_MAX)
        g_ptr_array_remove_index(e->history, 0);
    g_ptr_array_add(e->history, g_strdup(e->line->str));
}

static char *read_raw(LineEdit *e)
{
    for (;;) {
        int key = read_key();

        if (key == KEY_EOF || (key == KEY_CTRL_D && !e->line->len))
            return NULL;
        if (key == KEY_CTRL_C)
            return g_strdup("#");
        if (press(e, key)) {
            remember(e);
            return g_strdup(e->line->str);
        }
        redraw(e);
    }
}

static char *read_plain(const char *prompt)
{
    char *line = NULL, *copy;
    size_t size = 0;
    ssize_t n;

    fputs(prompt, stdout);
    fflush(stdout);
    n = getline(&line, &size, stdin);
    if (n > 0 && line[n - 1] == '\n')
        line[n - 1] = 0;
    copy = n > 0 ? g_strdup(line) : NULL;
    free(line);
    return copy;
}

char *lineedit_read(LineEdit *e, const char *prompt)
{
    struct termios before, raw;
    char *line;

    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return read_plain(prompt);
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    e->prompt = prompt;
    g_string_truncate(e->line, 0);
    e->at = 0;
    e->past = 0;
    redraw(e);
    line = read_raw(e);
    tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    printf("\n");
    fflush(stdout);
    return line;
}
