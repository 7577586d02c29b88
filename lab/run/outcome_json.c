#include "lab/run/outcome_json.h"

void outcome_json_string(JsonBuilder *b, const char *name, const char *value)
{
    g_autofree char *valid = value ? g_utf8_make_valid(value, -1) : NULL;

    json_builder_set_member_name(b, name);
    if (valid)
        json_builder_add_string_value(b, valid);
    else
        json_builder_add_null_value(b);
}

void outcome_json_expectations(JsonBuilder *b, const char *name, const Scenario *s)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
    for (unsigned i = 0; i < scenario_expect_count(s); i++) {
        ScenarioExpect e;

        scenario_expect(s, i, &e);
        json_builder_begin_object(b);
        outcome_json_string(b, "name", e.name);
        json_builder_set_member_name(b, "passed");
        json_builder_add_boolean_value(b, e.ok);
        if (!e.ok)
            outcome_json_string(b, "detail", e.detail);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}
