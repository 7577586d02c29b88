/* Code blocks: each row is a text that Python 3 runs too; the expectation is what Python says of it. */
#include "packetdrill/pd_code.h"

#include <glib.h>
#include <string.h>

typedef struct Row {
    const char *text;
    const char *error; /* NULL: none */
    bool is_assertion;
} Row;

static void check(const Row *row, const char *output)
{
    PdCode *c = pd_code_new();
    GString *said = g_string_new(NULL);
    char *error = NULL;
    unsigned line = 0;

    pd_code_run(c, row->text, 1, NULL, said, &line, &error);
    if (row->error)
        g_assert_true(error && strstr(error, row->error));
    else
        g_assert_cmpstr(error, ==, NULL);
    g_assert_true(pd_code_is_assertion(c) == row->is_assertion);
    if (output)
        g_assert_cmpstr(said->str, ==, output);
    g_free(error);
    g_string_free(said, TRUE);
    pd_code_free(c);
}

static void check_all(const Row *rows, gsize n)
{
    for (gsize i = 0; i < n; i++)
        check(&rows[i], NULL);
}

static void expressions(void)
{
    static const Row rows[] = {
        {"assert 2 ** 10 == 1024 and -2 ** 2 == -4 and 2 ** -1 == 0.5"},
        {"assert 0b101 == 5 and 0o17 == 15 and 1_000 == 1000 and 1e3 == 1000.0"},
        {"assert 7.5 // 2 == 3.0 and 7.5 % 2 == 1.5 and -8 >> 1 == -4"},
        {"assert (1, 2) < (1, 3) and [1] != [2] and (1, 2) + (3,) == (1, 2, 3) and (1, 2)[-1] == 2"},
        {"assert 3 in {1, 2, 3} and 'b' not in ('a', 'c')"},
        {"assert min((1, 2)) == 1 and max(1, 5.5) == 5.5 and sorted([3, 1, 2]) == [1, 2, 3]"},
        {"assert sum(x for x in range(5)) == 10 and [x * 2 for x in range(4) if x % 2] == [2, 6]"},
        {"assert all(x > 0 for x in (1, 2)) and not any(x for x in []) and len(range(5, 0, -2)) == 3"},
        {"assert round(2.5) == 2 and round(3.5) == 4 and round(2.567, 2) == 2.57 and bin(5) == '0b101'"},
        {"assert '{} {:d} {:.2f}'.format('a', 2, 1.5) == 'a 2 1.50' and '{0}{0}'.format(3) == '33'"},
        {"assert f'{1+1=}' == '1+1=2' and f\"{'a'!r}\" == \"'a'\" and f'{5:>3}' == '  5'"},
        {"assert 'a\\x41\\t' == \"aA\t\" and r'\\n' == '\\\\n' and '''a\nb''' == 'a\\nb'"},
        {"assert ', '.join(['a', 'b']) == 'a, b' and 'abc'.startswith('ab') and str(1.0) == '1.0'"},
        {"assert divmod(7, 2)", "no function 'divmod' here"},
        {"assert (1, 2)[2]", "an index out of range"},
        {"assert 0x", "letters behind a number"},
        {"assert {'a': 1}", "expected ',' or '}', found ':'"},
        {"x = lambda: 1", "'lambda' is not supported"},
        {"assert 'x'.upper() == 'X'", "'.upper' of text is not supported"},
    };

    check_all(rows, G_N_ELEMENTS(rows));
}

/* What Python does not evaluate is no mistake; what it does is. */
static void laziness(void)
{
    static const Row rows[] = {
        {"assert 1 if True else 1 / 0"},
        {"assert 1 / 0 if False else 1"},
        {"assert True or unknown"},
        {"assert not (False and unknown)"},
        {"assert not 2 < 1 < unknown"},
        {"assert 1, unknown"},
        {"if False:\n    assert unknown"},
        {"assert 0, unknown", "name 'unknown' is not defined"},
        {"assert False or unknown", "name 'unknown' is not defined"},
        {"assert (unknown, 1)", "name 'unknown' is not defined"},
        {"x = 1 / 0", "division by zero"},
        {"assert len(unknown) + 1", "name 'unknown' is not defined"},
        {"assert 1 < 2 < unknown", "name 'unknown' is not defined"},
    };

    check_all(rows, G_N_ELEMENTS(rows));
}

static void statements(void)
{
    static const Row rows[] = {
        {"if 0:\n  assert 0\nelif 1:\n  y = 3\nelse:\n  assert 0\nassert y == 3"},
        {"if 0: assert 0\nelse: z = 1; z += 1\nassert z == 2"},
        {"if 1:\n    if 0:\n        assert 0\nelse:\n    assert 0"},
        {"if 1:\n    # a comment\n\n    assert 1\n  # another\nassert 1"},
        {"s = 0\nfor i in (1, 2, 3):\n  if i == 2:\n    continue\n  s += i\nassert s == 4, s"},
        {"for i in range(3):\n    for j in range(3):\n        if j == 1:\n            break\n"
         "    assert j == 1\nassert i == 2"},
        {"for a, b in ((1, 2), (3, 4)):\n    assert b == a + 1"},
        {"i = 0\nwhile i < 5: i += 1\nassert i == 5"},
        {"a, b = 1, 2\na, b = b, a\nassert (a, b) == (2, 1)\nc = d = 7\nassert c == d == 7"},
        {"'''told\nbefore'''\n(1 +\n 2)\nassert 1"},
        {"for i in range(2):\n    assert i == 0, 'turn %d' % i", "turn 1", true},
        {"if 1:\nassert 1", "expected an indented statement behind ':'"},
        {"if 1\n  pass", "expected ':'"},
        {"for x in 5:\n  pass", "for … in an integer has no meaning"},
        {"a, b = 1, 2, 3", "2 names for a tuple of another size"},
        {"break", "'break' outside a loop"},
        {"while True:\n  pass", "loops with more than"},
        {"import sys", "'import ...' is not supported"},
        {"print('a', file=1)", "print() with file= is not supported"},
        {"assert 1 = 1", "expected the end of the statement, found '='"},
    };

    check_all(rows, G_N_ELEMENTS(rows));
    check(&(Row){"for i in range(3):\n  print(i, end=' ')\nprint('a', 2.0, sep='-')"}, "0 1 2 a-2.0\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pd/code/expressions", expressions);
    g_test_add_func("/pd/code/laziness", laziness);
    g_test_add_func("/pd/code/statements", statements);
    return g_test_run();
}
