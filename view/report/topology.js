/* The network, with the frames that are on their way at this time. */

const topologyPanel = (function () {
  const W = 560, NODE_FONT = '600 12px ' + FONT, SMALL = '10.5px ' + FONT;
  let drawing, moving, taken = [], at = new Map(), height = 120;
  /* Flights in the order of their sending, and the latest end up to each one. */
  const order = Array.from({ length: flights.n }, (_, f) => f).filter((f) => flights.sent[f] >= 0)
    .sort((a, b) => flights.sent[a] - flights.sent[b] || a - b);
  const startTimes = Float64Array.from(order, (f) => moments.t[flights.sent[f]]);
  const reach = new Float64Array(order.length);
  order.reduce((latest, f, i) => reach[i] = Math.max(latest, flights.end[f] >= 0 ? moments.t[flights.end[f]] : Infinity), -Infinity);

  function arrange() {
    const columns = places.columns, rows = Math.max(1, ...columns.map((column) => column.length));
    const margin = columns.length > 4 ? 56 : 84;
    const rowStep = rows > 6 ? 44 : 64;
    height = rows > 1 ? rows * rowStep + 40 : 64;
    at = new Map();
    columns.forEach((column, c) => column.forEach((node, r) => at.set(node, {
      x: columns.length > 1 ? margin + (W - 2 * margin) * c / (columns.length - 1) : W / 2,
      y: 18 + (height - 40) * (r + 0.5) / column.length,
    })));
    height = Math.max(...[...at.values()].map(({ y }) => y), 0) + 48;
  }

  function drawLink(all, link) {
    const a = at.get(link.ends[0]), b = at.get(link.ends[1]);
    if (!a || !b)
      return;
    const g = svg('g', {}, svg('line', { x1: a.x, y1: a.y, x2: b.x, y2: b.y, class: 'link' }));
    all.append(g);
    const same = (list) => list[0] === list[1];
    const speed = !link.rates[0] && !link.rates[1] ? '' : same(link.rates) ? rate(link.rates[0]) : rate(link.rates[0]) + ' / ' + rate(link.rates[1]);
    const delay = !link.delays[0] && !link.delays[1] ? '' : same(link.delays) ? duration(link.delays[0]) : duration(link.delays[0]) + ' / ' + duration(link.delays[1]);
    const text = [speed, delay].filter((part) => part).join(', ');
    g.append(svg('title', {}, link.name + ': ' + text));
    for (const lines of links.length > 14 ? [] : [[text], [speed, delay].filter((part) => part)])
      for (const part of [0.5, 0.36, 0.64, 0.25, 0.75])
        for (const shift of [-6, 14])
          if (text && drawLinkText(g, lines, a.x + (b.x - a.x) * part, a.y + (b.y - a.y) * part + shift - (shift < 0 ? (lines.length - 1) * 12 : 0)))
            return;
  }

  /* false: there is something else. */
  function drawLinkText(g, lines, x, y) {
    const half = Math.max(...lines.map((line) => measure(line, SMALL))) / 2 + 3;
    const box = { left: x - half, right: x + half, top: y - 11, bottom: y + 4 + (lines.length - 1) * 12 };
    if (taken.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom))
      return false;
    taken.push(box);
    lines.forEach((line, i) => g.append(svg('text', { x, y: y + i * 12, class: 'link-text' }, line)));
    return true;
  }

  function columnRoom() {
    return places.columns.length > 4 ? (W - 112) / (places.columns.length - 1) - 4 : 160;
  }

  function drawNode(g, node) {
    const { x, y } = at.get(node), { name, kind } = nodes[node];
    const group = svg('g', { class: 'node-shape ' + kind });
    const address = DATA.addresses.filter(([owner]) => owner === name).map(([, dev, text]) => dev + ' ' + text);
    if (kind === 'router')
      group.append(svg('circle', { cx: x, cy: y, r: 15 }), svg('path', { d: `M${x - 8} ${y}h16M${x} ${y - 8}v16`, class: 'sign' }));
    else if (kind === 'switch' || kind === 'hub')
      group.append(svg('rect', { x: x - 18, y: y - 11, width: 36, height: 22, rx: 2 }), svg('path', { d: `M${x - 11} ${y - 3}h22M${x - 11} ${y + 4}h22`, class: 'sign' }));
    else
      group.append(svg('rect', { x: x - 18, y: y - 13, width: 36, height: 26, rx: 5 }));
    group.append(svg('title', {}, [name + ' (' + t('kind_' + (kind || 'node')) + ')', ...address].join('\n')));
    group.append(svg('text', { x, y: y + 28, class: 'node-name' }, shortenName(name, NODE_FONT, columnRoom())));
    if (address.length === 1 && at.size <= 8)
      group.append(svg('text', { x, y: y + 41, class: 'node-address' }, address[0].split(' ')[1]));
    g.append(group);
  }

  function build(into) {
    arrange();
    const g = svg('g', {});
    moving = svg('g', {});
    /* Where texts must not go: the nodes with their names. */
    taken = [...at].map(([node, { x, y }]) => {
      const half = Math.max(20, measure(shortenName(nodes[node].name, NODE_FONT, columnRoom()), NODE_FONT) / 2);
      return { left: x - half, right: x + half, top: y - 16, bottom: y + 44 };
    });
    links.forEach((link) => drawLink(g, link));
    for (const node of at.keys())
      drawNode(g, node);
    drawing = svg('svg', { viewBox: `0 0 ${W} ${height}`, class: 'topology', role: 'img', 'aria-label': t('topology_label') }, g, moving);
    into.append(at.size ? drawing : html('p', { class: 'quiet' }, t('no_network')));
    show();
  }

  /* Up to this many, chosen evenly; more would be a cloud. */
  const MOST = 60;

  function show() {
    const time = state.time, last = lastUpTo(startTimes, time), list = [];
    for (let i = last; i >= 0 && list.length < 4000 && reach[i] >= time; i--) {
      const f = order[i], end = flights.end[f];
      if (flights.sent[f] <= state.at && (end < 0 || moments.t[end] > time || end > state.at || (moments.t[end] === time && end === state.at)))
        list.push(f);
    }
    const step = Math.ceil(list.length / MOST), mine = flightOf(state.at);
    const chosen = list.filter((f, i) => i % step === 0 || f === mine);
    moving.replaceChildren(...chosen.map(drawFlight).filter((g) => g));
  }

  function drawFlight(f) {
    const a = at.get(flightFrom(f)), b = at.get(flightTo(f));
    if (!a || !b)
      return null;
    const end = flights.end[f], from = sentAt(f), to = end >= 0 ? moments.t[end] : from + 1;
    const lost = end >= 0 && moments.k[end] === MOMENT.LOST;
    let part = to > from ? Math.max(0, Math.min(1, (state.time - from) / (to - from))) : end === state.at ? 1 : 0.1;
    if (lost)
      part = end === state.at ? 0.5 : part * 0.5;
    const length = Math.hypot(b.x - a.x, b.y - a.y) || 1, shift = 6; /* on the right side of the road */
    const x = a.x + (b.x - a.x) * part - (b.y - a.y) / length * shift, y = a.y + (b.y - a.y) * part + (b.x - a.x) / length * shift;
    const p = flights.p[f], mine = flightOf(state.at) === f;
    const g = svg('g', { class: 'moving ' + (packets.f[p] >= 0 ? 'c' + packets.f[p] % 8 : 'c-other') + (mine ? ' mine' : '') });
    if (lost && end === state.at)
      g.append(svg('path', { class: 'cross', d: `M${x - 6} ${y - 6}l12 12M${x + 6} ${y - 6}l-12 12` }));
    else
      g.append(svg('rect', { x: x - 7, y: y - 4.5, width: 14, height: 9, rx: 2 }));
    g.append(svg('title', {}, labelOf(p)));
    return g;
  }

  function update(changed) {
    if (changed.has('at') || changed.has('time'))
      show();
  }

  return { build, update };
})();
