/* The eleven states of TCP as RFC 9293 (3.3.2, figure 5) draws them, with the states of both ends lit and
 * the last change marked. */

const statesPanel = (function () {
  const BOX = { w: 104, h: 28 };
  /* Names as hopscope's records have them; centres. CLOSED stands twice, as in the RFC. */
  const PLACE = {
    'CLOSED': [250, 24], 'LISTEN': [250, 92], 'SYN-RECEIVED': [92, 160], 'SYN-SENT': [408, 160],
    'ESTABLISHED': [250, 228], 'FIN-WAIT-1': [92, 300], 'CLOSE-WAIT': [408, 300], 'FIN-WAIT-2': [62, 392],
    'CLOSING': [204, 392], 'LAST-ACK': [408, 392], 'TIME-WAIT': [133, 470], 'CLOSED ': [408, 470],
  };
  /* From, to, the label's key (of strings.json: what happens / what is sent), the label's place, the way. */
  const EDGES = [
    ['CLOSED', 'LISTEN', 's_passive', 256, 62, 'start', 'M250 38L250 78'],
    ['CLOSED', 'SYN-SENT', 's_active', 396, 66, 'start', 'M302 24Q392 30 400 146'],
    ['LISTEN', 'SYN-RECEIVED', 's_rcv_syn', 118, 112, 'end', 'M198 98Q130 112 104 146'],
    ['LISTEN', 'SYN-SENT', 's_send', 318, 100, 'start', 'M302 96Q350 110 376 146'],
    ['SYN-SENT', 'SYN-RECEIVED', 's_both', 250, 153, 'middle', 'M356 160L144 160'],
    ['SYN-RECEIVED', 'ESTABLISHED', 's_rcv_ack', 144, 197, 'start', 'M104 174Q128 214 198 224'],
    ['SYN-SENT', 'ESTABLISHED', 's_rcv_synack', 356, 197, 'end', 'M396 174Q372 214 302 224'],
    ['SYN-RECEIVED', 'FIN-WAIT-1', 's_close', 84, 240, 'end', 'M88 174L88 286'],
    ['ESTABLISHED', 'FIN-WAIT-1', 's_close', 160, 262, 'end', 'M212 242L124 286'],
    ['ESTABLISHED', 'CLOSE-WAIT', 's_rcv_fin', 340, 262, 'start', 'M288 242L376 286'],
    ['FIN-WAIT-1', 'FIN-WAIT-2', 's_rcv_ackfin', 70, 350, 'end', 'M84 314L68 378'],
    ['FIN-WAIT-1', 'CLOSING', 's_rcv_fin', 168, 340, 'start', 'M118 314L184 378'],
    ['CLOSE-WAIT', 'LAST-ACK', 's_close', 414, 350, 'start', 'M408 314L408 378'],
    ['FIN-WAIT-2', 'TIME-WAIT', 's_rcv_fin', 84, 436, 'end', 'M76 406L114 456'],
    ['CLOSING', 'TIME-WAIT', 's_rcv_ackfin', 196, 436, 'start', 'M192 406L154 456'],
    ['LAST-ACK', 'CLOSED ', 's_rcv_ackfin', 414, 436, 'start', 'M408 406L408 456'],
    ['TIME-WAIT', 'CLOSED ', 's_timeout', 270, 463, 'middle', 'M185 470L356 470'],
  ];
  let drawing, table, boxes, lines;

  function build(into) {
    boxes = new Map();
    lines = [];
    drawing = svg('svg', { viewBox: '-28 0 556 496', class: 'states', role: 'img', 'aria-label': t('states_label') });
    drawing.append(svg('defs', {}, svg('marker', { id: 'tip', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto-start-reverse' },
      svg('path', { d: 'M0 0L8 4L0 8z', class: 'marker' }))));
    for (const [from, to, key, x, y, anchor, d] of EDGES) {
      const line = svg('path', { d, class: 'edge', 'marker-end': 'url(#tip)' });
      const label = svg('text', { x, y, 'text-anchor': anchor, class: 'edge-label' }, t(key));
      lines.push({ from, to, line, label });
      drawing.append(line, label);
    }
    for (const [name, [x, y]] of Object.entries(PLACE)) {
      const g = svg('g', { class: 'tcp-state' },
        svg('rect', { x: x - BOX.w / 2, y: y - BOX.h / 2, width: BOX.w, height: BOX.h, rx: 6 }),
        svg('text', { x, y: y + 4, 'text-anchor': 'middle' }, name.trim()));
      boxes.set(name, g);
      drawing.append(g);
    }
    table = html('p', { class: 'state-line' });
    into.append(table, drawing);
    show();
  }

  function show() {
    const flow = state.flow >= 0 && flows[state.flow].proto === 6 ? state.flow : -1;
    const now = [0, 1].map((side) => flow < 0 ? null : stateAt(flow, side, state.at));
    const last = now.filter((one) => one && one.moment >= 0).sort((a, b) => b.moment - a.moment)[0];
    for (const [name, g] of boxes) {
      const lit = now.map((one) => one && one.state === name.trim() && (one.state !== 'CLOSED' || (name !== 'CLOSED') === hasBeenOpen(one)));
      g.setAttribute('class', 'tcp-state' + (lit[0] ? ' side0' : '') + (lit[1] ? ' side1' : ''));
    }
    for (const edge of lines) {
      /* A listener's child begins in SYN-RECEIVED. */
      const old = last && last.old === 'CLOSED' && last.state === 'SYN-RECEIVED' ? 'LISTEN' : last && last.old;
      const on = last && old === edge.from && last.state === edge.to.trim();
      edge.line.classList.toggle('taken', Boolean(on));
      edge.label.classList.toggle('taken', Boolean(on));
    }
    if (flow < 0) {
      table.replaceChildren(html('span', { class: 'quiet' }, t(state.flow < 0 ? 'no_flows' : 'no_tcp')));
      return;
    }
    table.replaceChildren(...[0, 1].map((side) => html('span', { class: 'chip side' + side }, flowEnd(flows[flow], side) + ' ',
      html('strong', {}, now[side].state))),
    last ? html('span', { class: 'quiet' }, t('last_change', last.old, last.state, seconds(moments.t[last.moment]))) : '');
  }

  function hasBeenOpen(one) {
    return one.old !== 'CLOSED' && one.old !== 'LISTEN' && one.old !== 'SYN-SENT';
  }

  function update(changed) {
    if (changed.has('at') || changed.has('flow'))
      show();
  }

  return { build, update };
})();
