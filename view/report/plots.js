/* Congestion window, round-trip time and queues over time, with a line where the slider is. */

const plotsPanel = (function () {
  const W = 560, H = 150, LEFT = 52, RIGHT = 10, TOP = 8, BOTTOM = 26;
  let box, cursors = [];

  const from = () => DATA.from, to = () => Math.max(DATA.to >= 0 ? Math.min(DATA.to, DATA.end) : DATA.end, DATA.from + 1);
  /* Idle time after the last moment is left out. */
  const lastTime = () => moments.n ? Math.min(to(), Math.max(moments.t[moments.n - 1], from() + 1)) : to();
  const xOf = (time) => LEFT + (time - from()) / (lastTime() - from()) * (W - LEFT - RIGHT);

  function niceStep(range, count) {
    const raw = range / count, power = 10 ** Math.floor(Math.log10(raw));
    return power * ([1, 2, 5, 10].find((n) => n * power >= raw) || 10);
  }

  function ticks(g, most, y) {
    const step = Math.max(niceStep(most, 4), 1e-9);
    for (let v = 0; v <= most * 1.001; v += step) {
      g.append(svg('line', { x1: LEFT, x2: W - RIGHT, y1: y(v), y2: y(v), class: 'grid' }));
      g.append(svg('text', { x: LEFT - 6, y: y(v) + 4, class: 'tick end' }, trimmed(v)));
    }
    const span = (lastTime() - from()) / 1e9, second = niceStep(span, 5);
    for (let s = Math.ceil(from() / 1e9 / second) * second; s <= lastTime() / 1e9 + second * 1e-6; s += second) {
      const x = xOf(s * 1e9), text = trimmed(s) + ' s', half = measure(text, '11px ' + FONT) / 2;
      g.append(svg('line', { x1: x, x2: x, y1: TOP, y2: H - BOTTOM, class: 'grid' }));
      g.append(svg('text', { x: Math.min(x, W - half - 1), y: H - 9, class: 'tick middle' }, text));
    }
  }

  /* A step line; a value below 0 is none. */
  function path(times, values, scale, y) {
    let d = '', open = false;
    for (let i = 0; i < times.length; i++) {
      if (values[i] < 0 || times[i] > lastTime()) {
        open = false;
        continue;
      }
      const x = xOf(times[i]).toFixed(1), v = y(values[i] * scale).toFixed(1);
      d += open ? `H${x}V${v}` : `M${x} ${v}`;
      open = true;
    }
    return open ? d + `H${(W - RIGHT)}` : d;
  }

  function plot(title, unit, columns) {
    let most = 0;
    for (const { values, scale } of columns)
      for (const value of values)
        most = Math.max(most, value * scale);
    most = most * 1.08 || 1;
    const y = (v) => H - BOTTOM - v / most * (H - TOP - BOTTOM);
    const g = svg('g', {});
    ticks(g, most, y);
    for (const { times, values, scale, name } of [...columns].reverse()) /* the first one on top */
      g.append(svg('path', { d: path(times, values, scale, y), class: 'curve ' + name }));
    const cursor = svg('line', { y1: TOP, y2: H - BOTTOM, class: 'cursor' });
    const label = html('span', { class: 'now' });
    g.append(cursor);
    cursors.push({ cursor, label, columns, unit });
    const drawing = svg('svg', { viewBox: `0 0 ${W} ${H}`, class: 'plot', role: 'img', 'aria-label': title }, g);
    const timeAt = (e) => {
      const rect = drawing.getBoundingClientRect();
      return from() + Math.max(0, Math.min(1, ((e.clientX - rect.left) / rect.width * W - LEFT) / (W - LEFT - RIGHT))) * (lastTime() - from());
    };
    drawing.addEventListener('pointerdown', (e) => {
      if (e.button === 0)
        leaping(() => goToTime(timeAt(e)));
    });
    drawing.addEventListener('pointermove', (e) => e.buttons === 1 && goToTime(timeAt(e)));
    return html('figure', {}, html('figcaption', {}, title, ' ', html('span', { class: 'quiet' }, '(' + unit + ')'), label), drawing,
      html('p', { class: 'legend' }, ...columns.map(({ name, text }) => html('span', {}, html('i', { class: 'swatch line ' + name }), text))));
  }

  function cwndPlot(side, data) {
    const columns = [{ times: data.t, values: data.cwnd, scale: 1, name: 'p0', text: t('p_cwnd') }];
    if (data.ssthresh.some((v) => v >= 0))
      columns.push({ times: data.t, values: data.ssthresh, scale: 1, name: 'p1', text: t('p_ssthresh') });
    columns.push({ times: data.t, values: data.inflight, scale: 1, name: 'p2', text: t('p_inflight') });
    return plot(t('p_cwnd_title', flowEnd(flows[state.flow], side)), t('segments'), columns);
  }

  function rttPlot(side, data) {
    return plot(t('p_rtt_title', flowEnd(flows[state.flow], side)), t('ms'), [
      { times: data.t, values: data.srtt, scale: 1e-3, name: 'p0', text: t('p_srtt') },
      { times: data.t, values: data.sample, scale: 1e-3, name: 'p2', text: t('p_sample') },
      { times: data.t, values: data.rto, scale: 1, name: 'p1', text: t('p_rto') }]);
  }

  /* The longest queues of the run; one packet is the one that is being sent. */
  function queuePlots() {
    const list = series.queue.map(([point, data]) => ({ point, data, peak: data.packets.reduce((a, b) => Math.max(a, b), 0) }));
    return list.filter(({ peak }) => peak > 1).sort((a, b) => b.peak - a.peak || a.point - b.point).slice(0, 3).map(({ point, data }) =>
      plot(t('p_queue_title', nodes[points[point].node].name + ':' + points[point].name), t('packets'),
        [{ times: data.t, values: data.packets, scale: 1, name: 'p0', text: t('p_queue') }]));
  }

  function show() {
    const figures = [];
    cursors = [];
    if (state.flow >= 0) {
      const cwnd = seriesOf('cwnd', state.flow), rtt = seriesOf('rtt', state.flow);
      const busy = [0, 1].filter((side) => cwnd[side]).sort((a, b) => cwnd[b].t.length - cwnd[a].t.length);
      for (const side of busy)
        figures.push(cwndPlot(side, cwnd[side]));
      for (const side of busy)
        if (rtt[side])
          figures.push(rttPlot(side, rtt[side]));
    }
    figures.push(...queuePlots());
    box.replaceChildren(...(figures.length ? figures : [html('p', { class: 'quiet' }, t('no_plots'))]));
    move();
  }

  function move() {
    const x = xOf(Math.max(from(), Math.min(state.time, lastTime())));
    for (const { cursor, label, columns, unit } of cursors) {
      cursor.setAttribute('x1', x);
      cursor.setAttribute('x2', x);
      const now = columns.map(({ times, values, scale, text }) => {
        const i = lastUpTo(times, state.time);
        return i < 0 || values[i] < 0 ? null : text + ' ' + trimmed(values[i] * scale);
      });
      label.textContent = now.filter((text) => text).join(', ');
    }
  }

  function build(into) {
    box = html('div', {});
    into.append(box);
    show();
  }

  function update(changed) {
    if (changed.has('flow'))
      show();
    else if (changed.has('time'))
      move();
  }

  return { build, update };
})();
