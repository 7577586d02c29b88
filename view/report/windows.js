/* The sliding windows of both directions: what the sender's end and the receiver's end know at this moment,
 * each drawn on the same stretch of sequence numbers, with its pointers. */

const windowsPanel = (function () {
  const W = 560, LEFT = 8, RIGHT = 8, FONT_SIZE = '11px ' + FONT;
  let box;

  function build(into) {
    box = html('div', {});
    into.append(box);
    show();
  }

  /* Labels below a bar: each in the first line in which it touches no other. */
  function drawPointers(g, pointers, scale, y) {
    const lineEnds = [], names = svg('g', {}); /* names stand above the lines of their neighbours */
    for (const { at, name } of pointers.sort((a, b) => a.at - b.at)) {
      const x = scale(at), text = name + ' = ' + at, size = measure(text, FONT_SIZE);
      const left = x - size / 2 < LEFT ? x + 4 : x + size / 2 > W - RIGHT ? x - size - 4 : x - size / 2;
      let line = 0;
      while (lineEnds[line] !== undefined && lineEnds[line] > left - 8)
        line++;
      lineEnds[line] = left + size;
      const below = y + 16 + line * 15;
      g.append(svg('path', { d: `M${x} ${y - 4}V${below - (left > x || left + size < x ? 2 : 11)}`, class: 'pointer' }));
      names.append(svg('text', { x: left, y: below, class: 'pointer-name' }, text));
    }
    g.append(names);
    return y + 16 + Math.max(0, lineEnds.length - 1) * 15 + 8;
  }

  function bar(g, scale, from, to, y, name) {
    if (to > from)
      g.append(svg('rect', { x: scale(from), y, width: Math.max(1, scale(to) - scale(from)), height: 18, class: name }));
  }

  function drawDirection(side) {
    const flow = flows[state.flow];
    const sender = windowAt(flow.index, side, state.at), receiver = windowAt(flow.index, 1 - side, state.at);
    const s = sender || { una: 0, nxt: 0, edge: -1 }, r = receiver || { rcv: 0, right: -1, held: [] };
    const ends = [s.nxt, s.edge, r.rcv, r.right, s.una + 10];
    const high = Math.max(...ends), low = Math.min(s.una, r.rcv);
    const margin = Math.max(1, (high - low) * 0.12);
    const first = Math.max(0, low - margin), last = high + margin;
    const scale = (seq) => LEFT + (Math.min(last, Math.max(first, seq)) - first) / (last - first) * (W - LEFT - RIGHT);
    const g = svg('g', {});

    g.append(svg('text', { x: LEFT, y: 14, class: 'bar-title' }, t('w_sender', flowEnd(flow, side))));
    bar(g, scale, first, last, 20, 'w-none');
    bar(g, scale, first, s.una, 20, 'w-acked');
    bar(g, scale, s.una, s.nxt, 20, 'w-flight');
    bar(g, scale, s.nxt, s.edge, 20, 'w-usable');
    const pointers = [{ at: s.una, name: 'SND.UNA' }, { at: s.nxt, name: 'SND.NXT' }];
    if (s.edge >= 0)
      pointers.push({ at: s.edge, name: 'SND.UNA+SND.WND' });
    let y = drawPointers(g, pointers, scale, 42);
    y += 12;
    g.append(svg('text', { x: LEFT, y: y, class: 'bar-title' }, t('w_receiver', flowEnd(flow, 1 - side))));
    bar(g, scale, first, last, y + 6, 'w-none');
    bar(g, scale, first, r.rcv, y + 6, 'w-acked');
    bar(g, scale, r.rcv, r.right, y + 6, 'w-open');
    for (const [from, to] of r.held)
      bar(g, scale, from, to, y + 6, 'w-held');
    const below = [{ at: r.rcv, name: 'RCV.NXT' }];
    if (r.right >= 0)
      below.push({ at: r.right, name: 'RCV.NXT+RCV.WND' });
    y = drawPointers(g, below, scale, y + 28);
    const title = t('w_direction', flowEnd(flow, side), flowEnd(flow, 1 - side));
    return html('figure', {}, html('figcaption', {}, title),
      svg('svg', { viewBox: `0 0 ${W} ${y}`, class: 'windows', role: 'img', 'aria-label': title }, g));
  }

  function show() {
    if (state.flow < 0 || flows[state.flow].proto !== 6) {
      box.replaceChildren(html('p', { class: 'quiet' }, t(state.flow < 0 ? 'no_flows' : 'no_tcp')));
      return;
    }
    const legend = [['w-acked', 'w_acked'], ['w-flight', 'w_flight'], ['w-usable', 'w_usable'], ['w-open', 'w_open'], ['w-held', 'w_held']];
    box.replaceChildren(drawDirection(0), drawDirection(1),
      html('p', { class: 'legend' }, ...legend.map(([name, key]) => html('span', {}, html('i', { class: 'swatch ' + name }), t(key)))));
  }

  function update(changed) {
    if (changed.has('at') || changed.has('flow'))
      show();
  }

  return { build, update };
})();
