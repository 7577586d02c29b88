/* Which bridge is the root, and what is each port for? (802.1D-2004 17.5, 17.6, 17.21.25, 17.28) */
#include "models/ether/rstp_port.h"

#define MAC_MASK UINT64_C(0xffffffffffff)
#define PORT_NUMBER_MASK 0x0fff

static int cmp64(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

int rstp_vector_cmp(const RstpVector *a, const RstpVector *b)
{
    int c = cmp64(a->root, b->root);

    if (!c)
        c = cmp64(a->cost, b->cost);
    if (!c)
        c = cmp64(a->bridge, b->bridge);
    return c ? c : cmp64(a->port, b->port);
}

bool rstp_vector_supersedes(const RstpVector *msg, const RstpVector *old)
{
    int c = rstp_vector_cmp(msg, old);
    bool same_sender = (msg->bridge & MAC_MASK) == (old->bridge & MAC_MASK) &&
                       (msg->port & PORT_NUMBER_MASK) == (old->port & PORT_NUMBER_MASK);

    return c < 0 || (c > 0 && same_sender);
}

bool rstp_times_equal(const RstpTimes *a, const RstpTimes *b)
{
    return a->message_age == b->message_age && a->max_age == b->max_age && a->hello == b->hello &&
           a->forward_delay == b->forward_delay;
}

/* 17.21.25 a–c: the best path to a root, by what the neighbours say, or ourselves. */
static void choose_root(Rstp *r)
{
    r->root_priority = (RstpVector){r->bridge_id, 0, r->bridge_id, 0};
    r->root_times = r->bridge_times;
    r->root_port = NULL;
    for (unsigned i = 0; i < r->n_ports; i++) {
        RstpPort *p = r->ports[i];
        RstpVector v = p->port_priority;
        int c;

        if (p->info_is != RSTP_INFO_RECEIVED || (v.bridge & MAC_MASK) == (r->bridge_id & MAC_MASK))
            continue;
        if (v.cost > UINT32_MAX - p->cost) /* it must grow with each link, or rumours go round in circles */
            continue;
        v.cost += p->cost;
        c = rstp_vector_cmp(&v, &r->root_priority);
        if (c < 0 || (c == 0 && r->root_port && p->port_id < r->root_port->port_id)) {
            r->root_priority = v;
            r->root_port = p;
            r->root_times = p->port_times;
            r->root_times.message_age += SIM_SEC;
        }
    }
}

static void choose_role(Rstp *r, RstpPort *p)
{
    p->designated_priority =
        (RstpVector){r->root_priority.root, r->root_priority.cost, r->bridge_id, p->port_id};
    p->designated_times = r->root_times;
    p->designated_times.hello = r->bridge_times.hello;
    switch (p->info_is) {
    case RSTP_INFO_DISABLED:
        p->selected_role = RSTP_ROLE_DISABLED;
        break;
    case RSTP_INFO_AGED:
        p->updt_info = true;
        p->selected_role = RSTP_ROLE_DESIGNATED;
        break;
    case RSTP_INFO_MINE:
        p->selected_role = RSTP_ROLE_DESIGNATED;
        p->updt_info = rstp_vector_cmp(&p->port_priority, &p->designated_priority) != 0 ||
                       !rstp_times_equal(&p->port_times, &p->designated_times);
        break;
    case RSTP_INFO_RECEIVED:
        p->updt_info = false;
        if (p == r->root_port) {
            p->selected_role = RSTP_ROLE_ROOT;
        } else if (rstp_vector_cmp(&p->designated_priority, &p->port_priority) < 0) {
            p->selected_role = RSTP_ROLE_DESIGNATED;
            p->updt_info = true;
        } else if ((p->port_priority.bridge & MAC_MASK) != (r->bridge_id & MAC_MASK)) {
            p->selected_role = RSTP_ROLE_ALTERNATE;
        } else {
            p->selected_role = RSTP_ROLE_BACKUP;
        }
        break;
    }
}

bool rstp_roles_select(Rstp *r)
{
    bool wanted = false;

    for (unsigned i = 0; i < r->n_ports; i++) {
        wanted |= r->ports[i]->reselect;
        r->ports[i]->reselect = false;
    }
    if (!wanted)
        return false;
    choose_root(r);
    for (unsigned i = 0; i < r->n_ports; i++)
        choose_role(r, r->ports[i]);
    for (unsigned i = 0; i < r->n_ports; i++)
        r->ports[i]->selected = true;
    return true;
}
