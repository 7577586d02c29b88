/* Narration, expectations, conversations, and what the run was. */

const narrationPanel = (function () {
  let box, items;

  function build(into) {
    box = html('ol', { class: 'narration' });
    items = [];
    for (let m = 0; m < moments.n; m++) {
      const event = moments.k[m] === MOMENT.EVENT ? events[moments.i[m]] : null;
      if (!event || event[0] > EVENT.LOG)
        continue;
      const text = event[0] === EVENT.LOG ? eventText(event) : saying(event);
      const item = html('li', { class: ['title', 'note', 'log'][event[0]] },
        html('button', { type: 'button', onclick: () => leap({ at: m }) },
          html('span', { class: 'time' }, seconds(moments.t[m])), html('span', {}, text)));
      items.push({ moment: m, item });
      box.append(item);
    }
    into.append(items.length ? box : html('p', { class: 'quiet' }, t('no_narration')));
    show();
  }

  function show() {
    let last = null;
    for (const { moment, item } of items) {
      item.classList.remove('now');
      item.classList.toggle('later', moment > state.at);
      if (moment <= state.at)
        last = item;
    }
    if (last) {
      last.classList.add('now');
      box.scrollTop = last.offsetTop - (box.clientHeight - last.clientHeight) / 2;
    }
  }

  return { build, update: (changed) => changed.has('at') && show() };
})();

const expectsPanel = (function () {
  function build(into) {
    const list = DATA.expects.map(([name, ok, detail]) => html('li', { class: ok ? 'ok' : 'failed' },
      html('span', { class: 'verdict' }, ok ? '✓ ' + t('ok') : '✗ ' + t('failed')), ' ', said(name),
      detail && !ok ? html('div', { class: 'detail' }, state.lang === 'zh' ? whyInChinese(detail) : detail) : null));
    const failed = DATA.expects.filter(([, ok]) => !ok).length;
    into.append(html('p', {}, DATA.expects.length ? t('expects_sum', DATA.expects.length - failed, DATA.expects.length) : html('span', { class: 'quiet' }, t('no_expects'))),
      html('ul', { class: 'expects' }, ...list));
  }

  return { build, update: () => {} };
})();

const flowsPanel = (function () {
  let list, filter = '';

  function show() {
    const wanted = filter.toLowerCase();
    const found = flows.filter((flow) => (flowName(flow) + (flow.proto === 6 ? ' tcp' : ' udp')).toLowerCase().includes(wanted));
    list.replaceChildren(...found.slice(0, 200).map((flow) => html('li', {},
      html('button', { type: 'button', 'aria-pressed': String(flow.index === state.flow), onclick: () => change({ flow: flow.index }) },
        html('i', { class: 'swatch c' + flow.index % 8 }), html('span', {}, (flow.index + 1) + ' ' + (flow.proto === 6 ? 'TCP ' : 'UDP ') + flowName(flow)),
        html('span', { class: 'quiet' }, ' ' + t('n_packets', flow.packets))))));
    if (!found.length)
      list.append(html('li', { class: 'quiet' }, t('no_flow')));
    else if (found.length > 200)
      list.append(html('li', { class: 'quiet' }, t('more_flows', found.length - 200)));
  }

  function build(into) {
    list = html('ul', { class: 'flows' });
    const input = html('input', { type: 'search', value: filter, placeholder: t('filter_hint'), 'aria-label': t('filter_label'),
      oninput: (e) => { filter = e.target.value; show(); } });
    const only = html('label', { class: 'only' }, html('input', { type: 'checkbox', checked: ladder.hasOnlyFlow(),
      onchange: (e) => ladder.setOnlyFlow(e.target.checked) }), ' ' + t('only_flow'));
    into.append(input, only, list);
    show();
  }

  return { build, update: (changed) => changed.has('flow') && show() };
})();

const aboutPanel = (function () {
  function build(into) {
    const rows = [[t('a_scenario'), DATA.scenario], [t('a_seed'), DATA.seed], ...DATA.params,
      [t('a_end'), seconds(DATA.end, 9) + ' s'], [t('a_frames'), grouped(flights.n)], [t('a_version'), 'hopscope ' + DATA.version]];
    into.append(html('table', { class: 'about' }, html('tbody', {}, ...rows.map(([name, value]) => html('tr', {}, html('th', { scope: 'row' }, name), html('td', {}, value))))));
  }

  return { build, update: () => {} };
})();
