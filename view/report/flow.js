/* A conversation over time: the windows of both sides, and the states of both ends. */

/* Sequence numbers as they grow beyond 2^32: the one congruent to `seq` that is next to `near`. */
function unwrap(seq, near) {
  return near + ((seq - near) | 0);
}

/* Bytes that have arrived: the end of what is without a hole from 0 on, and what stands beyond. */
class Received {
  constructor() {
    this.next = 0;
    this.beyond = []; /* [first, end), sorted */
  }
  add(first, end) {
    if (end <= this.next)
      return;
    this.beyond.push([first, end]);
    this.beyond.sort((a, b) => a[0] - b[0]);
    while (this.beyond.length && this.beyond[0][0] <= this.next)
      this.next = Math.max(this.next, this.beyond.shift()[1]);
  }
}

/* For each side what its end knows, as lists that begin anew at each moment in which something changes:
 * una, nxt, edge (SND.UNA + SND.WND) of what it sends; rcv (RCV.NXT) and right (RCV.NXT + RCV.WND) of what it
 * receives; held: [first, end) of what it has beyond a hole. In bytes from the initial sequence number; edge and right are -1 as long as nothing was said. */
const windowsOf = (function () {
  const known = new Map();

  const NONE = [];

  function fresh() {
    return { una: 0, nxt: 0, edge: -1, rcv: 0, right: -1, got: new Received(), lastWindow: 0 };
  }

  function send(now, p) {
    const seq = unwrap(packets.q[p], now.nxt);
    if (!(packets.g[p] & FLAG.RST))
      now.nxt = Math.max(now.nxt, seq + seqLength(p));
    if (packets.g[p] & FLAG.ACK)
      now.right = Math.max(now.right, unwrap(packets.a[p], now.rcv) + windowOf(p));
  }

  function receive(now, p) {
    const seq = unwrap(packets.q[p], now.rcv);
    if (packets.g[p] & FLAG.RST)
      return;
    now.got.add(seq, seq + seqLength(p));
    now.rcv = now.got.next;
    if (!(packets.g[p] & FLAG.ACK))
      return;
    const ack = unwrap(packets.a[p], now.una);
    if (ack >= now.una && ack <= now.nxt) {
      now.una = ack;
      now.edge = ack + windowOf(p);
    }
  }

  /* Whether side `side` of the flow did not accept what arrived at moment m: then it changes nothing. */
  function isRefused(m, flow, side) {
    for (let k = m + 1; k < moments.n && moments.t[k] === moments.t[m]; k++) {
      const event = moments.k[k] === MOMENT.EVENT ? events[moments.i[k]] : null;
      if (event && event[0] === EVENT.REFUSED && event[2] >= 0 && conns[event[2]].flow === flow && conns[event[2]].side === side)
        return true;
      if (moments.k[k] === MOMENT.RECEIVED && packets.f[flights.p[moments.i[k]]] === flow && packets.s[flights.p[moments.i[k]]] !== side)
        return false;
    }
    return false;
  }

  function compute(flow) {
    const sides = [fresh(), fresh()];
    const out = [0, 1].map(() => ({ moment: [], una: [], nxt: [], edge: [], rcv: [], right: [], held: [] }));
    for (let m = 0; m < moments.n; m++) {
      const f = flightOf(m);
      if (f < 0 || packets.f[flights.p[f]] !== flow || !isTcp(flights.p[f]))
        continue;
      const p = flights.p[f], from = packets.s[p], node = flows[flow].node;
      let side = -1;
      if (moments.k[m] === MOMENT.SENT && flightFrom(f) === node[from]) {
        side = from;
        send(sides[side], p);
      } else if (moments.k[m] === MOMENT.RECEIVED && points[flights.b[f]].node === node[1 - from]) {
        side = 1 - from;
        if (!isRefused(m, flow, side))
          receive(sides[side], p);
      }
      if (side < 0)
        continue;
      const to = out[side], now = sides[side];
      to.moment.push(m);
      for (const name of ['una', 'nxt', 'edge', 'rcv', 'right'])
        to[name].push(now[name]);
      to.held.push(now.got.beyond.length ? now.got.beyond.map((block) => [...block]) : NONE);
    }
    return out;
  }

  return function (flow) {
    if (!known.has(flow))
      known.set(flow, compute(flow));
    return known.get(flow);
  };
})();

/* What side `side` of the flow knows after moment m; null: nothing yet. */
function windowAt(flow, side, m) {
  const list = windowsOf(flow)[side], i = lastUpTo(list.moment, m);
  if (i < 0)
    return null;
  return { una: list.una[i], nxt: list.nxt[i], edge: list.edge[i], rcv: list.rcv[i], right: list.right[i], held: list.held[i] };
}

/* The connections that a side of the flow had: a listener's child is another one than the listener. */
function connsOfSide(flow, side) {
  return conns.filter((conn) => conn.flow === flow && conn.side === side);
}

/* { state, old, moment } after moment m (moment -1: as at the beginning); a server's end is the listener's until a connection is there. */
function stateAt(flow, side, m) {
  let best = null;
  const f = flows[flow];
  for (const conn of conns) {
    const listens = conn.flow < 0 && conn.node === f.node[side] && conn.localPort === f.port[side] && conn.remotePort === 0;
    if (!listens && !(conn.flow === flow && conn.side === side))
      continue;
    for (const change of conn.states)
      if (change.moment <= m && (!best || (best.listens && !listens) || (best.listens === listens && change.moment >= best.moment)))
        best = { state: change.now, old: change.old, moment: change.moment, listens };
  }
  return best || { state: 'CLOSED', old: 'CLOSED', moment: -1 };
}

/* The series of kind "cwnd" or "rtt" that belong to the flow, by side: [null or { t, … }, …]. */
function seriesOf(kind, flow) {
  return [0, 1].map((side) => {
    const found = series[kind].find(([conn]) => conn >= 0 && conns[conn].flow === flow && conns[conn].side === side);
    return found ? found[1] : null;
  });
}

const series = {};
for (const kind of ['cwnd', 'rtt', 'queue'])
  series[kind] = DATA.series[kind].map(([key, columns]) => [key, { ...columns, t: undelta(columns.t) }]);
