/* The ladder: one lane for each node that is shown, one row for each moment. Only what can be seen is in the
 * document: rows know their places, and each scroll draws the ones in view.
 *
 * Arrows go from lane to lane. A node without a lane is passed over: its packet's arrow goes on to the next
 * node that has one. */

const ladder = (function () {
  const LABEL_FONT = '12px ' + FONT, NOTE_FONT = '13px ' + FONT, SMALL_FONT = '11px ' + FONT;
  const MARGIN = 70, HEAD = 44;
  const GUTTER = Math.max(92, 24 + 7 * seconds(moments.n ? moments.t[moments.n - 1] : 0).length);
  const COLORS = 8, MOST_LANES = 12;
  let box, inner, canvas, head, nothing;
  let lanes = [], laneX = new Map(), width = 0;
  let arrows = [], arrowsOf = new Map();
  let rows = [], top = new Float64Array(1), rowOf = new Int32Array(0), reach = new Float64Array(0);
  let withTimers = false, onlyFlow = false;
  const shown = new Set();

  /* ---- what is shown ---- */

  function chooseLanes() {
    const given = DATA.lanes.filter((node) => laneNodes.includes(node));
    const makers = new Set();
    for (let p = 0; p < packets.n; p++)
      makers.add(packets.maker[p]);
    let chosen = given.length ? given : laneNodes;
    if (!given.length && laneNodes.length > 6)
      chosen = laneNodes.filter((node) => nodes[node].kind === 'host' || (nodes[node].kind === 'router' && makers.has(node)));
    if (chosen.length > MOST_LANES) { /* rather those that say something */
      const first = [...chosen.filter((node) => makers.has(node)), ...chosen.filter((node) => !makers.has(node))].slice(0, MOST_LANES);
      chosen = chosen.filter((node) => first.includes(node));
    }
    shown.clear();
    chosen.forEach((node) => shown.add(node));
  }

  /* The flights of each packet's journey, then what they look like between the lanes that are there. */
  function makeArrows() {
    const journeys = new Map();
    for (let f = 0; f < flights.n; f++) {
      if (onlyFlow && packets.f[flights.p[f]] !== state.flow)
        continue;
      const birth = packets.b[flights.p[f]];
      if (!journeys.has(birth))
        journeys.set(birth, []);
      journeys.get(birth).push(f);
    }
    arrows = [];
    for (const list of journeys.values()) {
      const used = new Set();
      for (const f of list)
        if (shown.has(flightFrom(f)) && !used.has(f))
          follow(list, used, f, f);
    }
    arrows.sort((a, b) => a.start - b.start || a.flight - b.flight);
    arrowsOf = new Map();
    for (const arrow of arrows)
      for (const m of arrow.end >= 0 ? [arrow.start, arrow.end] : [arrow.start]) {
        if (!arrowsOf.has(m))
          arrowsOf.set(m, []);
        arrowsOf.get(m).push(arrow);
      }
  }

  function follow(list, used, first, f) {
    used.add(f);
    const end = flights.end[f], from = flightFrom(first), start = flights.sent[first];
    const lost = end >= 0 && moments.k[end] === MOMENT.LOST;
    const to = flightTo(f);
    const arrow = { start, end, from, to, flight: first, last: f, lost, open: end < 0, stub: false };
    if (lost || end < 0 || shown.has(to)) {
      arrows.push(arrow);
      return true;
    }
    let found = false;
    for (const g of list)
      if (!used.has(g) && flightFrom(g) === to && flights.sent[g] >= end)
        found = follow(list, used, first, g) || found;
    /* Ended in a node without a lane: told, unless it was only one of a switch's copies. */
    if (!found && f === first)
      arrows.push({ ...arrow, stub: true });
    return found;
  }

  function isOfFlow(event) {
    switch (event[0]) {
    case EVENT.STATE:
    case EVENT.TIMER:
    case EVENT.RECOVERY:
    case EVENT.REFUSED:
      return event[2] >= 0 && conns[event[2]].flow === state.flow;
    case EVENT.DROP:
      return packets.f[event[2]] === state.flow;
    default:
      return true;
    }
  }

  function isShownEvent(event) {
    if (onlyFlow && !isOfFlow(event))
      return false;
    switch (event[0]) {
    case EVENT.TIMER:
      return shown.has(event[1]) && (withTimers || string(event[4]) === 'fired');
    case EVENT.TITLE:
    case EVENT.NOTE:
    case EVENT.LOG:
      return true;
    default:
      return shown.has(event[1]);
    }
  }

  /* ---- rows ---- */

  function noteLines(event) {
    const text = event[0] === EVENT.LOG ? eventText(event) : saying(event);
    return wrap(text, event[0] === EVENT.TITLE ? '600 15px ' + FONT : NOTE_FONT, Math.max(160, width - GUTTER - 36));
  }

  function rowHeight(row) {
    if (row.arrows) {
      if (row.starts)
        return row.starts * 21 + 5;
      return row.lost ? 20 : 10;
    }
    const event = events[moments.i[row.moment]];
    if (event[0] <= EVENT.LOG) {
      row.lines = noteLines(event);
      return row.lines.length * (event[0] === EVENT.TITLE ? 20 : 18) + 14;
    }
    return 22;
  }

  function makeRows() {
    rows = [];
    for (let m = 0; m < moments.n; m++) {
      if (moments.k[m] === MOMENT.EVENT) {
        if (isShownEvent(events[moments.i[m]]))
          rows.push({ moment: m });
      } else if (arrowsOf.has(m)) {
        const list = arrowsOf.get(m), starting = list.filter((arrow) => arrow.start === m);
        rows.push({ moment: m, arrows: list, starts: starting.length ? 1 : 0, lost: list.some((arrow) => arrow.lost && arrow.end === m) });
      }
    }
    place();
  }

  /* A longer time between two rows takes more room, but not in proportion; a very long one gets a mark. */
  function place() {
    const gaps = [];
    for (let i = 1; i < rows.length; i++) {
      const gap = moments.t[rows[i].moment] - moments.t[rows[i - 1].moment];
      if (gap > 0)
        gaps.push(gap);
    }
    gaps.sort((a, b) => a - b);
    const small = gaps[Math.floor(gaps.length / 20)] || 1, middle = gaps[gaps.length >> 1] || 1;
    top = new Float64Array(rows.length + 1);
    rowOf = new Int32Array(moments.n).fill(-1);
    let y = 6;
    rows.forEach((row, i) => {
      const gap = i ? moments.t[row.moment] - moments.t[rows[i - 1].moment] : 0;
      row.gap = gap > 20 * middle && gap > 2e7 ? gap : 0;
      if (row.gap)
        y += 30;
      else if (gap > 0)
        y += Math.min(26, 5 + 5 * Math.log10(1 + gap / small));
      top[i] = y;
      row.height = rowHeight(row);
      y += row.height;
      rowOf[row.moment] = i;
    });
    top[rows.length] = y;
    /* The lowest end of all arrows up to each one, to find those that reach into the view. */
    reach = new Float64Array(arrows.length);
    let lowest = 0;
    arrows.forEach((arrow, i) => {
      lowest = Math.max(lowest, arrowEnd(arrow));
      reach[i] = lowest;
    });
    inner.style.height = (y + 30) + 'px';
  }

  function startY(arrow) {
    const i = rowOf[arrow.start];
    return i < 0 ? 0 : top[i] + 19;
  }

  function arrowEnd(arrow) {
    const i = arrow.end >= 0 ? rowOf[arrow.end] : -1;
    if (i < 0)
      return startY(arrow) + 14;
    return Math.max(top[i] + (rows[i].lost && !rows[i].starts ? 12 : 6), startY(arrow) + 3);
  }

  /* ---- drawing ---- */

  function colorOf(p) {
    if (packets.f[p] >= 0)
      return 'c' + packets.f[p] % COLORS;
    return 'c-other';
  }

  function endX(arrow) {
    const from = laneX.get(arrow.from);
    if (!arrow.stub && !arrow.lost && !arrow.open && laneX.has(arrow.to))
      return laneX.get(arrow.to);
    let to = laneX.get(arrow.to);
    if (to === undefined) { /* towards where the node would stand */
      const right = laneNodes.indexOf(arrow.to) > laneNodes.indexOf(arrow.from) || arrow.to < 0;
      to = from + (right ? 1 : -1) * Math.min(120, width / (lanes.length + 1));
      to = Math.max(GUTTER + 14, Math.min(width - 14, to));
    }
    return arrow.stub ? to : from + (to - from) * (arrow.lost ? 0.62 : 0.8);
  }

  function arrowLabel(arrow) {
    const p = flights.p[arrow.flight];
    let text = labelOf(p);
    if (isRetransmission[p])
      text = t('again') + ' ' + text;
    if (arrow.stub)
      text += ' → ' + nodes[arrow.to].name;
    return text;
  }

  /* Labels lie above all arrows: where many cross, they can still be read. */
  function drawArrow(group, labels, arrow, labelled, passing, view) {
    const p = flights.p[arrow.flight];
    const x1 = laneX.get(arrow.from), x2 = endX(arrow), y1 = startY(arrow), y2 = arrowEnd(arrow);
    const right = x2 >= x1, selected = arrow.start === state.at || arrow.end === state.at;
    const names = { class: 'arrow ' + colorOf(p) + (arrow.lost ? ' lost' : '') + (isRetransmission[p] ? ' again' : '') +
      (selected ? ' selected' : ''), 'data-moment': arrow.start };
    const begins = y1 > view.from - 20 && y1 < view.to + 20, ends = y2 > view.from - 20 && y2 < view.to + 20;
    if (!begins && !ends) { /* passes through: all of a kind are one element */
      passing.set(names.class, (passing.get(names.class) || '') + `M${x1} ${y1.toFixed(1)}L${x2} ${y2.toFixed(1)}`);
      return;
    }
    const line = svg('line', { x1, y1, x2, y2, class: 'shaft' });
    const g = svg('g', names, line);
    group.append(g);
    if (ends && arrow.lost) {
      g.append(svg('path', { class: 'cross', d: `M${x2 - 5} ${y2 - 5}l10 10M${x2 + 5} ${y2 - 5}l-10 10` }));
    } else if (ends && !arrow.open) {
      const angle = Math.atan2(y2 - y1, x2 - x1);
      const wing = (turn) => (x2 - 9 * Math.cos(angle + turn)).toFixed(1) + ' ' + (y2 - 9 * Math.sin(angle + turn)).toFixed(1);
      g.append(svg('path', { class: 'tip', d: `M${x2} ${y2}L${wing(0.38)}L${wing(-0.38)}z` }));
    }
    /* A broadcast's arrows begin together, and have one label. */
    const place = arrow.start + '/' + arrow.from, text = svg('g', names);
    if (begins && !labelled.has(place))
      drawArrowLabel(text, arrow, x1, x2, y1, right);
    labelled.add(place);
    if (ends && arrow.lost)
      drawReason(text, arrow, x2, y2, right);
    if (text.childElementCount)
      labels.append(text);
  }

  function drawArrowLabel(g, arrow, x1, x2, y1, right) {
    const room = width - GUTTER - 16, text = arrowLabel(arrow);
    const size = measure(shorten(text, LABEL_FONT, room), LABEL_FONT);
    let x = right ? x1 + 8 : x1 - 8 - size;
    x = Math.max(GUTTER + 6, Math.min(width - 8 - size, x));
    g.append(fitted({ x, y: y1 - 5, class: 'label' }, text, LABEL_FONT, room));
  }

  function drawReason(g, arrow, x, y, right) {
    const text = said(string(flights.r[arrow.last])), size = measure(text, SMALL_FONT);
    let at = right ? x + 10 : x - 10 - size;
    at = Math.max(GUTTER + 6, Math.min(width - 8 - size, at));
    g.append(svg('text', { x: at, y: y + 4, class: 'reason' }, text));
  }

  function drawSaying(group, row, y) {
    const event = events[moments.i[row.moment]], step = event[0] === EVENT.TITLE ? 20 : 18;
    const name = ['title', 'note', 'log'][event[0]];
    const height = row.lines.length * step + 8;
    group.append(svg('rect', { x: GUTTER + 4, y: y + 2, width: Math.max(10, width - GUTTER - 10), height, rx: 5, class: 'saying ' + name }));
    row.lines.forEach((line, i) =>
      group.append(svg('text', { x: GUTTER + 16, y: y + 18 + i * step, class: 'words ' + name }, line)));
  }

  function drawEvent(group, row, y) {
    const event = events[moments.i[row.moment]], x = laneX.get(event[1]);
    const names = { [EVENT.STATE]: 'state', [EVENT.TIMER]: 'timer', [EVENT.RECOVERY]: 'recovery' };
    let text = event[0] === EVENT.STATE ? string(event[4]) : eventText(event).slice(nodes[event[1]].name.length).replace(/^[:：]?\s*/, '');
    if (event[0] === EVENT.DROP) /* the frame has an arrow above */
      text = '✗ ' + said(string(event[3]));
    if (event[0] === EVENT.STATE && event[2] >= 0 && portsMatter)
      text = ':' + conns[event[2]].localPort + ' ' + text;
    const room = Math.max(60, width - GUTTER - 40), size = measure(shorten(text, SMALL_FONT, room), SMALL_FONT) + 14;
    const left = Math.max(GUTTER + 4, Math.min(width - size - 4, x - size / 2));
    const g = svg('g', { class: 'event ' + (names[event[0]] || 'bad') + (row.moment === state.at ? ' selected' : ''), 'data-moment': row.moment });
    g.append(svg('rect', { x: left, y: y + 2, width: size, height: 17, rx: 8.5 }));
    g.append(fitted({ x: left + 7, y: y + 14.5 }, text, SMALL_FONT, room));
    group.append(g);
  }

  const portsMatter = flows.filter((flow) => flow.proto === 6).length > 1;

  function drawRow(back, front, row, i) {
    const y = top[i], selected = row.moment === state.at;
    if (selected)
      back.append(svg('rect', { x: 0, y: y, width, height: Math.max(12, row.height), class: 'current' }));
    if (row.gap) {
      const text = '⋮ ' + duration(row.gap);
      back.append(svg('line', { x1: GUTTER, x2: width, y1: y - 14, y2: y - 14, class: 'gap' }));
      back.append(svg('text', { x: GUTTER - 8, y: y - 10, class: 'time gap-time' }, text));
    }
    if (!row.arrows || row.starts || row.lost || selected)
      back.append(svg('text', { x: GUTTER - 8, y: y + (row.arrows && !row.starts ? 10 : 16), class: 'time' }, seconds(moments.t[row.moment])));
    if (!row.arrows && events[moments.i[row.moment]][0] <= EVENT.LOG)
      drawSaying(front, row, y);
    else if (!row.arrows)
      drawEvent(front, row, y);
  }

  function drawView(into, from, to, isExact) {
    const back = svg('g', {}), middle = svg('g', {}), labels = svg('g', {}), front = svg('g', {});
    for (const node of lanes)
      back.append(svg('line', { x1: laneX.get(node), x2: laneX.get(node), y1: from, y2: Math.min(to, top[rows.length] + 20), class: 'lane' }));
    let i = Math.max(0, lastUpTo(top, from, rows.length));
    if (isExact && top[i] < from) /* on the sheet before */
      i++;
    for (; i < rows.length && top[i] <= (isExact ? to - 1 : to + 30); i++)
      drawRow(back, front, rows[i], i);
    /* Arrows are sorted by their start; the first that can be seen is the first that reaches so far down. */
    let low = 0, high = arrows.length;
    while (low < high) {
      const half = (low + high) >> 1;
      if (reach[half] < from)
        low = half + 1;
      else
        high = half;
    }
    const labelled = new Set(), passing = new Map();
    let crowded = 0;
    for (let a = low; a < arrows.length; a++) {
      if (startY(arrows[a]) - 20 > to)
        break;
      if (arrowEnd(arrows[a]) < from - 20)
        continue;
      crowded++;
      drawArrow(middle, labels, arrows[a], labelled, passing, { from, to });
    }
    for (const [name, d] of passing)
      middle.prepend(svg('path', { class: name + ' shaft', d }));
    middle.setAttribute('class', crowded > 250 ? 'throng' : crowded > 60 ? 'crowd' : '');
    into.replaceChildren(back, middle, labels, front);
  }

  /* Where the view is, known without asking the browser to lay out the page again. */
  let scrolled = 0, viewHeight = 0;

  function look() {
    scrolled = box.scrollTop;
    viewHeight = box.clientHeight;
  }

  let asked = false;

  function redraw() {
    asked = false;
    const from = scrolled, height = viewHeight;
    canvas.setAttribute('viewBox', `0 ${from} ${width} ${height}`);
    drawView(canvas, from, from + height);
  }

  function ask() {
    if (!asked) {
      asked = true;
      requestAnimationFrame(redraw);
    }
  }

  function drawHead() {
    const list = [svg('text', { x: GUTTER - 8, y: 28, class: 'time' }, t('time_s'))];
    const room = lanes.length > 1 ? (width - GUTTER - 2 * MARGIN) / (lanes.length - 1) - 8 : width - GUTTER;
    for (const node of lanes) {
      const half = Math.min(room, 2 * Math.min(laneX.get(node) - GUTTER, width - laneX.get(node)) - 4);
      list.push(fitted({ x: laneX.get(node), y: 18, class: 'node' }, nodes[node].name, '600 13px ' + FONT, half, shortenName));
      list.push(fitted({ x: laneX.get(node), y: 35, class: 'node-state' }, stateOfNode(node), SMALL_FONT, half));
    }
    head.setAttribute('width', width);
    head.setAttribute('height', HEAD);
    head.replaceChildren(...list);
  }

  function stateOfNode(node) {
    if (state.flow < 0 || flows[state.flow].proto !== 6)
      return '';
    const side = flows[state.flow].node.indexOf(node);
    const now = side < 0 ? null : stateAt(state.flow, side, state.at);
    return now ? now.state : '';
  }

  function placeLanes() {
    const first = GUTTER + MARGIN, last = width - MARGIN;
    laneX = new Map(lanes.map((node, i) => [node, lanes.length > 1 ? first + (last - first) * i / (lanes.length - 1) : (first + last) / 2]));
  }

  function resize() {
    width = Math.max(300, box.clientWidth);
    look();
    canvas.setAttribute('width', width);
    canvas.setAttribute('height', viewHeight);
    lanes = laneNodes.filter((node) => shown.has(node));
    placeLanes();
    makeRows();
    nothing.hidden = rows.length > 0;
    drawHead();
    ask();
  }

  /* After build(), when the rest of the page has its place. */
  function fit() {
    resize();
    showRow(state.at);
  }

  function showRow(m) {
    const i = rowNear(m);
    if (i < 0)
      return;
    const y = top[i];
    if (y < scrolled + 30 || top[i + 1] > scrolled + viewHeight - 40) {
      scrolled = Math.round(Math.max(0, Math.min(y - viewHeight / 3, top[rows.length] + 30 - viewHeight)));
      box.scrollTop = scrolled;
    }
  }

  /* The row of the moment, or of the last one before it that has a row. */
  function rowNear(m) {
    while (m >= 0 && rowOf[m] < 0)
      m--;
    return m < 0 ? -1 : rowOf[m];
  }

  /* ---- for others ---- */

  function neighbour(m, step) {
    let at = m + step;
    while (at >= 0 && at < moments.n && rowOf[at] < 0)
      at += step;
    return at < 0 || at >= moments.n ? m : at;
  }

  function setLane(node, on) {
    if (on)
      shown.add(node);
    else if (shown.size > 1)
      shown.delete(node);
    makeArrows();
    resize();
  }

  function build(into) {
    box = html('div', { class: 'ladder-box', tabindex: '0', role: 'group', 'aria-label': t('ladder_label') });
    canvas = svg('svg', { class: 'ladder-view', role: 'presentation' });
    head = svg('svg', { class: 'ladder-head', role: 'presentation' });
    inner = html('div', { class: 'ladder-inner' }, canvas);
    nothing = html('p', { class: 'nothing quiet' }, t('no_rows'));
    box.append(nothing, inner);
    into.append(head, box);
    if (!shown.size)
      chooseLanes();
    makeArrows();
    box.addEventListener('scroll', () => {
      scrolled = box.scrollTop;
      ask();
    }, { passive: true });
    box.addEventListener('click', (e) => {
      const g = e.target.closest('[data-moment]');
      const y = e.clientY - box.getBoundingClientRect().top + scrolled;
      const i = lastUpTo(top, y, rows.length);
      if (g)
        change({ at: Number(g.dataset.moment), playing: false });
      else if (i >= 0)
        change({ at: rows[i].moment, playing: false });
    });
    new ResizeObserver(() => box.isConnected && (box.clientWidth !== width || box.clientHeight !== viewHeight) && resize()).observe(box);
  }

  function update(changed) {
    if (onlyFlow && changed.has('flow')) {
      makeArrows();
      resize();
    }
    if (changed.has('at'))
      showRow(state.at);
    if (changed.has('at') || changed.has('flow')) {
      drawHead();
      ask();
    }
  }

  /* All of it, for paper: a list of drawings that each fit on a sheet, cut between rows; up to `limit` rows.
   * Returns the drawings and how many rows are missing. */
  function drawSheets(paperWidth, sheetHeight, limit) {
    const kept = { width, laneX };
    const last = Math.min(rows.length, limit), sheets = [];
    width = paperWidth;
    placeLanes();
    makeRows();
    for (let i = 0; i < last;) {
      const first = i, from = i ? top[i] - (rows[i].gap ? 30 : 2) : 0;
      while (i < last && (i === first || top[i + 1] - from <= sheetHeight))
        i++;
      const to = i < last ? top[i] - (rows[i].gap ? 30 : 2) : top[last] + 10;
      sheets.push(drawSheet(from, to));
    }
    ({ width, laneX } = kept);
    makeRows();
    return { sheets, missing: rows.length - last };
  }

  function drawSheet(from, to) {
    const names = lanes.map((node) => svg('text', { x: laneX.get(node), y: 18, class: 'node' }, nodes[node].name));
    const body = svg('svg', { x: 0, y: 26, width, height: to - from, viewBox: `0 ${from} ${width} ${to - from}` });
    drawView(body, from, to, true);
    return svg('svg', { class: 'paper', viewBox: `0 0 ${width} ${to - from + 28}` }, ...names, body);
  }

  return {
    build, update, neighbour, setLane, drawSheets, drawNow: redraw, fit,
    isShown: (node) => shown.has(node),
    setTimers: (on) => { withTimers = on; resize(); },
    hasTimers: () => withTimers,
    setOnlyFlow: (on) => {
      onlyFlow = on;
      makeArrows();
      resize();
      showRow(state.at);
    },
    hasOnlyFlow: () => onlyFlow,
    hasRow: (m) => rowOf[m] >= 0,
    rows: () => rows.map((row) => row.moment),
    firstMoment: () => rows.length ? rows[0].moment : -1,
    lastMoment: () => rows.length ? rows[rows.length - 1].moment : -1,
    page: (m, step) => {
      const i = Math.max(0, Math.min(rows.length - 1, rowNear(m) + step));
      return rows.length ? rows[i].moment : m;
    },
  };
})();
