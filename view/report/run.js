/* The run: moments, flights, packets, and what follows from them. */

const MOMENT = { SENT: 0, RECEIVED: 1, LOST: 2, EVENT: 3 };
const EVENT = { TITLE: 0, NOTE: 1, LOG: 2, STATE: 3, TIMER: 4, RECOVERY: 5, REFUSED: 6, LINK: 7, DROP: 8 };
const FLAG = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16, URG: 32, ECE: 64, CWR: 128, AE: 256 };

const moments = { t: undelta(DATA.moments.t), k: DATA.moments.k, i: DATA.moments.i, n: DATA.moments.t.length };
const flights = { ...DATA.flights, n: DATA.flights.p.length };
const packets = { ...DATA.packets, maker: DATA.packets.n, n: DATA.packets.b.length };
const events = DATA.events;
const nodes = DATA.nodes.map(([name, kind], index) => ({ name, kind, index }));
const points = DATA.points.map(([node, name]) => ({ node, name }));
const links = DATA.links.map(([name, ends, rates, delays]) =>
  ({ name, ends: ends.map((end) => nodes.findIndex((node) => node.name === end)), names: ends, rates, delays }));
const flows = DATA.flows.map(([proto, addr, port, node, isn, wscale], index) =>
  ({ index, proto, addr, port, node, isn, wscale, conn: [-1, -1], packets: 0 }));
const conns = DATA.conns.map(([node, id, flow, side, localPort, remote, remotePort], index) =>
  ({ index, node, id, flow, side, localPort, remote, remotePort, states: [] }));

for (const conn of conns)
  if (conn.flow >= 0)
    flows[conn.flow].conn[conn.side] = conn.index;

/* When a flight was sent and when it ended, as moments; -1: not seen. */
flights.sent = new Int32Array(flights.n).fill(-1);
flights.end = new Int32Array(flights.n).fill(-1);
for (let m = 0; m < moments.n; m++) {
  if (moments.k[m] === MOMENT.SENT)
    flights.sent[moments.i[m]] = m;
  else if (moments.k[m] !== MOMENT.EVENT)
    flights.end[moments.i[m]] = m;
}
/* A further receiver on a shared medium: sent when the flight before it was. */
for (let f = 0; f < flights.n; f++)
  if (flights.sent[f] < 0)
    for (let g = f - 1; g >= 0 && flights.sent[f] < 0; g--)
      if (packets.b[flights.p[g]] === packets.b[flights.p[f]] && flights.a[g] === flights.a[f])
        flights.sent[f] = flights.sent[g];

for (let m = 0; m < moments.n; m++) {
  const event = moments.k[m] === MOMENT.EVENT && events[moments.i[m]];
  if (event && event[0] === EVENT.STATE && event[2] >= 0)
    conns[event[2]].states.push({ moment: m, old: string(event[3]), now: string(event[4]) });
}
for (let p = 0; p < packets.n; p++)
  if (packets.f[p] >= 0 && packets.b[p] === p)
    flows[packets.f[p]].packets++;

/* ---- flights ---- */

function flightFrom(f) {
  return points[flights.a[f]].node;
}

/* Where it arrived; for what was lost or never arrived, where it would have: the other end of its link. */
function flightTo(f) {
  if (flights.b[f] >= 0)
    return points[flights.b[f]].node;
  const link = linkOf(f), from = flightFrom(f);
  if (!link)
    return -1;
  return link.ends[0] === from ? link.ends[1] : link.ends[0];
}

const linkByName = new Map(links.map((link) => [link.name, link]));
function linkOf(f) {
  return flights.l[f] < 0 ? null : linkByName.get(DATA.linknames[flights.l[f]]) || null;
}

function sentAt(f) {
  return flights.sent[f] < 0 ? 0 : moments.t[flights.sent[f]];
}

/* The flight that a moment tells of, or -1. */
function flightOf(m) {
  return m < 0 || moments.k[m] === MOMENT.EVENT ? -1 : moments.i[m];
}

/* The packet that a moment tells of, or -1. */
function packetOf(m) {
  const f = flightOf(m);
  if (f >= 0)
    return flights.p[f];
  const event = m >= 0 ? events[moments.i[m]] : null;
  return event && event[0] === EVENT.DROP ? event[2] : -1;
}

/* ---- packets ---- */

const byteStart = new Float64Array(packets.n + 1); /* of its base64 */
for (let p = 0; p < packets.n; p++)
  byteStart[p + 1] = byteStart[p] + 4 * Math.ceil(packets.k[p] / 3);

function bytesOf(p) {
  const text = atob(DATA.bytes.slice(byteStart[p], byteStart[p + 1]));
  const out = new Uint8Array(packets.k[p]);
  for (let i = 0; i < out.length; i++)
    out[i] = text.charCodeAt(i);
  return out;
}

function isTcp(p) {
  return packets.m[p] < 0;
}

/* Sequence numbers count modulo 2^32. */
function seqLength(p) {
  return packets.d[p] + (packets.g[p] & FLAG.SYN ? 1 : 0) + (packets.g[p] & FLAG.FIN ? 1 : 0);
}

function before(a, b) {
  return ((a - b) | 0) < 0;
}

/* Which packets carry only what their side had sent before. */
const isRetransmission = (function () {
  const again = new Uint8Array(packets.n);
  const highest = flows.map(() => [null, null]);
  for (let p = 0; p < packets.n; p++) {
    if (packets.b[p] !== p) {
      again[p] = again[packets.b[p]];
      continue;
    }
    if (!isTcp(p) || packets.f[p] < 0 || !seqLength(p))
      continue;
    const side = highest[packets.f[p]], end = packets.q[p] + seqLength(p);
    if (side[packets.s[p]] !== null && !before(side[packets.s[p]], end))
      again[p] = 1;
    else
      side[packets.s[p]] = end;
  }
  return again;
})();

function flagNames(flags) {
  const names = Object.keys(FLAG).filter((name) => flags & FLAG[name]);
  const order = ['SYN', 'FIN', 'RST', 'PSH', 'URG', 'ACK', 'ECE', 'CWR', 'AE'];
  return order.filter((name) => names.includes(name));
}

function windowOf(p) {
  const flow = packets.f[p] >= 0 ? flows[packets.f[p]] : null;
  const shift = flow && !(packets.g[p] & FLAG.SYN) ? flow.wscale[packets.s[p]] : 0;
  return packets.w[p] * 2 ** shift;
}

/* One line for people. */
function labelOf(p) {
  if (!isTcp(p))
    return saidLine(string(packets.m[p]));
  const flags = packets.g[p];
  let text = flagNames(flags).join(' ') + ' seq=' + packets.q[p];
  if (flags & FLAG.ACK)
    text += ' ack=' + packets.a[p];
  if (packets.d[p])
    text += ' len=' + packets.d[p];
  text += ' win=' + windowOf(p);
  if (packets.o[p] >= 0)
    text += ' ' + saidOptions(string(packets.o[p]));
  return text;
}

/* ---- names ---- */

function flowEnd(flow, side) {
  const name = flow.node[side] >= 0 ? nodes[flow.node[side]].name : flow.addr[side];
  return name + ':' + flow.port[side];
}

function flowName(flow) {
  return flowEnd(flow, 0) + ' – ' + flowEnd(flow, 1);
}

/* A line for a moment: for the announcements, the search and the title of a step. */
function momentText(m) {
  if (m < 0)
    return t('before_first');
  if (moments.k[m] === MOMENT.EVENT)
    return eventText(events[moments.i[m]]);
  const f = moments.i[m], label = labelOf(flights.p[f]);
  const from = nodes[flightFrom(f)].name, to = flightTo(f) >= 0 ? nodes[flightTo(f)].name : '?';
  if (moments.k[m] === MOMENT.SENT)
    return t('m_sent', from, label);
  if (moments.k[m] === MOMENT.RECEIVED)
    return t('m_received', to, label);
  return t('m_lost', from, label, said(string(flights.r[f])));
}

function eventText(event) {
  const node = nodes[event[1]].name;
  switch (event[0]) {
  case EVENT.TITLE:
  case EVENT.NOTE:
    return saying(event);
  case EVENT.LOG:
    return nodes[event[1]].kind ? t('e_log', node, saying(event)) : saying(event);
  case EVENT.STATE:
    return t('e_state', node, string(event[3]), string(event[4]));
  case EVENT.TIMER:
    return t('e_timer', node, said(string(event[3])), said(string(event[4]))) +
      (event[5] >= 0 && string(event[4]) === 'armed' ? ' ' + t('e_timer_at', seconds(event[5])) : '');
  case EVENT.RECOVERY:
    return t('e_recovery', node, said(string(event[3])));
  case EVENT.REFUSED:
    return t('e_refused', node, said(string(event[3])));
  case EVENT.LINK:
    return t(event[3] ? 'e_link_up' : 'e_link_down', node + (event[2] >= 0 ? ':' + points[event[2]].name : ''));
  default:
    /* What is left of it has lost its outer header: named by what was sent. */
    return t('e_drop', node, labelOf(packets.b[event[2]]), said(string(event[3])));
  }
}

/* What the scenario says in the page's language, if it says so. */
function saying(event) {
  const text = string(state.lang === 'zh' && event[3] >= 0 ? event[3] : event[2]);
  if (state.lang === 'zh' && event[3] < 0 && translated(text) !== null)
    return translated(text);
  return text.replace(/[0-9a-f.:]+ > [0-9a-f.:]+(?:: |, )[^\n]*$/gm, saidLine); /* packets that it quotes */
}

function runTitle() {
  if (!DATA.own_title && state.lang === 'zh')
    for (const event of events)
      if (event[0] === EVENT.TITLE)
        return saying(event);
  return DATA.title;
}

/* ---- where nodes stand ---- */

/* Places in a drawing: columns by distance from the first host, rows within them. Also the order of lanes. */
const places = (function () {
  const used = new Set();
  for (let f = 0; f < flights.n; f++) {
    used.add(flightFrom(f));
    if (flights.b[f] >= 0)
      used.add(points[flights.b[f]].node);
  }
  for (const link of links)
    link.ends.forEach((end) => end >= 0 && used.add(end));
  const next = new Map([...used].map((node) => [node, []]));
  for (const link of links)
    if (link.ends[0] >= 0 && link.ends[1] >= 0) {
      next.get(link.ends[0]).push(link.ends[1]);
      next.get(link.ends[1]).push(link.ends[0]);
    }
  const order = [...used].sort((a, b) => a - b);
  const leaves = order.filter((node) => next.get(node).length <= 1 && nodes[node].kind === 'host');
  const place = new Map();
  const columns = [], together = []; /* what is connected stays together in the order of lanes */
  for (const start of leaves.concat(order)) {
    if (place.has(start))
      continue;
    const queue = [[start, 0]], found = [];
    place.set(start, null);
    while (queue.length) {
      const [node, column] = queue.shift();
      columns[column] = columns[column] || [];
      place.set(node, { column, row: columns[column].length });
      columns[column].push(node);
      found.push(node);
      for (const other of next.get(node))
        if (!place.has(other)) {
          place.set(other, null);
          queue.push([other, column + 1]);
        }
    }
    together.push(...found);
  }
  return { of: place, columns, order: together };
})();

/* Nodes that frames passed through, in the order of their lanes. */
const laneNodes = (function () {
  const seen = new Set();
  for (let f = 0; f < flights.n; f++) {
    seen.add(flightFrom(f));
    if (flights.b[f] >= 0)
      seen.add(points[flights.b[f]].node);
  }
  return places.order.filter((node) => seen.has(node));
})();
