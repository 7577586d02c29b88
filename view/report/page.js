/* The page: its parts, the slider, keys, play, languages, themes, paper. */

const hasTcp = flows.some((flow) => flow.proto === 6);
const PANELS = [
  ['narration', narrationPanel, true], ['topology', topologyPanel, true], ['packet', packetPanel, true],
  ['states', statesPanel, hasTcp], ['windows', windowsPanel, hasTcp], ['plots', plotsPanel, true],
  ['flows', flowsPanel, true], ['expects', expectsPanel, true], ['about', aboutPanel, false],
];
const open = new Map(PANELS.map(([name, , isOpen]) => [name, isOpen]));
const parts = {};

/* ---- going through the run ---- */

function step(direction) {
  change({ at: ladder.neighbour(state.at, direction), playing: false });
}

function stepFlow(direction) {
  const p = packetOf(state.at), flow = p >= 0 && packets.f[p] >= 0 ? packets.f[p] : state.flow;
  for (let m = ladder.neighbour(state.at, direction), last = state.at; m !== last; last = m, m = ladder.neighbour(m, direction)) {
    const other = packetOf(m);
    if (moments.k[m] === MOMENT.SENT && other >= 0 && packets.f[other] === flow) {
      change({ at: m, playing: false });
      return;
    }
  }
  announce(t(direction > 0 ? 'no_next' : 'no_previous'));
}

function goToTime(time) {
  let m = lastUpTo(moments.t, time);
  while (m >= 0 && !ladder.hasRow(m))
    m--;
  const at = m >= 0 ? m : ladder.firstMoment();
  change({ at, time: Math.max(time, at >= 0 ? moments.t[at] : 0), playing: false });
}

/* The moment is the master; time follows it unless it was given along. */
function timeOf(m) {
  return m >= 0 ? moments.t[m] : DATA.from;
}

/* ---- playing: each moment takes the same while, and what is in flight moves on the way to the next ---- */

const SPEEDS = [0.5, 1, 2, 5, 20];
let speed = 1, playStart = 0;

function play(on) {
  if (on && ladder.neighbour(state.at, 1) === state.at)
    change({ at: ladder.firstMoment() });
  change({ playing: on });
  if (on) {
    playStart = performance.now();
    requestAnimationFrame(playOn);
  }
}

function playOn(now) {
  if (!state.playing)
    return;
  const next = ladder.neighbour(state.at, 1), while_ = 900 / speed;
  if (next === state.at) {
    change({ playing: false });
    return;
  }
  const part = Math.min(1, (now - playStart) / (moments.t[next] === moments.t[state.at] ? while_ / 3 : while_));
  if (part >= 1) {
    playStart = now;
    change({ at: next });
  } else {
    change({ time: timeOf(state.at) + part * (timeOf(next) - timeOf(state.at)) });
  }
  requestAnimationFrame(playOn);
}

/* ---- help ---- */

const KEYS = [
  ['→ j', 'k_next'], ['← k', 'k_previous'], ['n', 'k_next_flow'], ['p', 'k_previous_flow'], ['PageDown', 'k_page_down'], ['PageUp', 'k_page_up'],
  ['Home', 'k_home'], ['End', 'k_end'], ['1 … 9', 'k_panel'], ['␣', 'k_play'], ['/', 'k_search'], ['Enter', 'k_search_next'], ['l', 'k_lang'], ['d', 'k_theme'], ['?', 'k_help'],
];

function help() {
  if (parts.help.open)
    parts.help.close();
  else
    parts.help.showModal();
}

function makeHelp() {
  return html('dialog', { class: 'help', 'aria-label': t('help') }, html('h2', {}, t('help')),
    html('table', {}, html('tbody', {}, ...KEYS.map(([key, text]) => html('tr', {}, html('th', { scope: 'row' }, html('kbd', {}, key)), html('td', {}, t(text)))))),
    html('p', {}, t('help_text')), html('p', {}, t('help_search')), html('p', {}, t('help_link')),
    html('form', { method: 'dialog' }, html('button', { type: 'submit' }, t('close'))));
}

/* ---- keys ---- */

function onKey(e) {
  if (e.ctrlKey || e.metaKey || e.altKey || parts.help.open)
    return;
  const typing = e.target.matches('input[type=search], select, textarea');
  if (typing && e.key === 'Escape')
    e.target.blur();
  if (typing)
    return;
  const button = e.target.matches('button, summary, input, a') && (e.key === ' ' || e.key === 'Enter');
  const actions = {
    'ArrowRight': () => step(1), 'ArrowDown': () => step(1), 'j': () => step(1),
    'ArrowLeft': () => step(-1), 'ArrowUp': () => step(-1), 'k': () => step(-1),
    'n': () => stepFlow(1), 'p': () => stepFlow(-1),
    'PageDown': () => change({ at: ladder.page(state.at, 20), playing: false }),
    'PageUp': () => change({ at: ladder.page(state.at, -20), playing: false }),
    'Home': () => leap({ at: ladder.firstMoment() }),
    'End': () => leap({ at: ladder.lastMoment() }),
    ' ': () => play(!state.playing),
    '/': () => parts.search.focus(),
    'l': () => setLanguage(LANGUAGES[1 - LANGUAGES.indexOf(state.lang)]),
    'd': nextTheme,
    '?': help,
  };
  PANELS.forEach(([name], i) => { actions[i + 1] = () => showPanel(name); });
  if (!button && Object.hasOwn(actions, e.key)) {
    e.preventDefault();
    actions[e.key]();
  }
}

/* ---- languages and themes ---- */

function setLanguage(lang) {
  change({ lang });
  isLanguageChosen = true;
  noteAddress();
  build();
}

function nextTheme() {
  const dark = state.theme ? state.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  change({ theme: dark ? 'light' : 'dark' });
  document.documentElement.dataset.theme = state.theme;
}

/* ---- the parts ---- */

function announce(text) {
  parts.live.textContent = text;
}

function button(text, label, action) {
  return html('button', { type: 'button', 'aria-label': label, title: label, onclick: action }, text);
}

function makeToolbar() {
  parts.play = button(t('play'), t('play'), () => play(!state.playing));
  parts.slider = html('input', { type: 'range', min: '0', max: '100000', step: '1', value: '0', class: 'slider', 'aria-label': t('slider'),
    oninput: (e) => goToTime(sliderFrom() + Number(e.target.value) / 100000 * (sliderTo() - sliderFrom())) });
  parts.clock = html('output', { class: 'clock' });
  parts.search = html('input', { type: 'search', placeholder: t('search_hint'), 'aria-label': t('search'), value: query,
    oninput: (e) => { query = e.target.value; search(1, true); },
    onkeydown: (e) => { if (e.key === 'Enter') search(e.shiftKey ? -1 : 1, false); } });
  parts.found = html('span', { class: 'warning found' });
  const speeds = html('select', { 'aria-label': t('speed'), title: t('speed'), onchange: (e) => { speed = Number(e.target.value); } },
    ...SPEEDS.map((value) => html('option', { value, selected: value === speed }, value + '×')));
  return html('div', { class: 'toolbar', role: 'group', 'aria-label': t('toolbar') },
    button('|◀', t('k_home'), () => leap({ at: ladder.firstMoment() })), button('◀', t('k_previous'), () => step(-1)),
    button('▶', t('k_next'), () => step(1)), button('▶|', t('k_end'), () => leap({ at: ladder.lastMoment() })),
    parts.play, speeds, parts.slider, parts.clock, parts.search, parts.found);
}

function sliderFrom() {
  return moments.n ? Math.min(moments.t[0], DATA.from) : 0;
}

function sliderTo() {
  return moments.n ? Math.max(moments.t[moments.n - 1], sliderFrom() + 1) : 1;
}

/* Whether the expectations hold, where it cannot be missed. */
function makeVerdict() {
  const failed = DATA.expects.filter(([, ok]) => !ok).length, n = DATA.expects.length;
  if (!n)
    return null;
  return html('button', { type: 'button', class: 'outcome ' + (failed ? 'failed' : 'ok'), title: t('panel_expects'), 'aria-label': t('expects_sum', n - failed, n),
    onclick: () => showPanel('expects') }, html('span', { class: 'verdict' }, (failed ? '✗ ' : '✓ ') + (n - failed) + ' / ' + n));
}

function makeHeader() {
  const title = html('h1', {}, runTitle());
  const languages = html('select', { 'aria-label': t('language'), title: t('language'), onchange: (e) => setLanguage(e.target.value) },
    html('option', { value: 'en', selected: state.lang === 'en', lang: 'en' }, 'English'),
    html('option', { value: 'zh', selected: state.lang === 'zh', lang: 'zh-Hans' }, '简体中文'));
  return html('header', {}, html('div', { class: 'spring' }, title, html('span', { class: 'quiet scenario' }, DATA.scenario + ', ' + t('a_seed') + ' ' + DATA.seed),
    DATA.cut ? html('div', { class: 'warning' }, t('is_cut')) : null), makeVerdict(), languages, button('◐', t('k_theme'), nextTheme), button(t('print'), t('print'), () => print()), button('?', t('help'), help));
}

function makeLaneChoice() {
  const lanes = laneNodes.map((node) => html('label', {}, html('input', { type: 'checkbox', checked: ladder.isShown(node),
    onchange: (e) => { ladder.setLane(node, e.target.checked); e.target.checked = ladder.isShown(node); } }), ' ' + nodes[node].name));
  const timers = html('label', {}, html('input', { type: 'checkbox', checked: ladder.hasTimers(), onchange: (e) => ladder.setTimers(e.target.checked) }), ' ' + t('timers'));
  return html('details', { class: 'lanes' }, html('summary', {}, t('lanes')), html('div', { class: 'choice' }, ...lanes, timers));
}

function makePanel([name, panel]) {
  const body = html('div', { class: 'panel-body' });
  const details = html('details', { class: 'panel p-' + name, id: 'panel-' + name, open: open.get(name),
    ontoggle: () => open.set(name, details.open) }, html('summary', {}, html('h2', {}, t('panel_' + name))), body);
  return { details, body, panel };
}

/* Opens a panel and goes there. */
function showPanel(name) {
  const panel = document.getElementById('panel-' + name);
  panel.open = true;
  panel.style.scrollMarginTop = (parts.contents.offsetHeight + 4) + 'px';
  panel.scrollIntoView({ block: 'start' });
  panel.querySelector('summary').focus({ preventScroll: true });
}

function makeContents() {
  parts.contents = html('nav', { class: 'contents', 'aria-label': t('panels') }, ...PANELS.slice(0, -1).map(([name], i) =>
    html('button', { type: 'button', title: t('panel_' + name) + ' (' + (i + 1) + ')', onclick: () => showPanel(name) }, t('panel_' + name))));
  return parts.contents;
}

function build() {
  const root = document.getElementById('page');
  document.documentElement.lang = state.lang === 'zh' ? 'zh-Hans' : 'en';
  document.title = runTitle();
  parts.live = html('div', { class: 'sr-only', 'aria-live': 'polite', role: 'status' });
  parts.help = makeHelp();
  const left = html('section', { class: 'ladder', 'aria-label': t('ladder_label') });
  const panels = PANELS.map(makePanel);
  const column = (from, to) => html('div', { class: 'column' }, ...panels.slice(from, to).map(({ details }) => details));
  const right = html('section', { class: 'panels', 'aria-label': t('panels') }, makeContents(), html('div', { class: 'columns' }, column(0, 3), column(3)));
  parts.paper = html('div', {});
  parts.paperNote = html('p', { class: 'paper-note' });
  root.replaceChildren(makeHeader(), makeToolbar(), html('main', {}, left, right), html('div', { class: 'on-paper' }, parts.paper, parts.paperNote), parts.help, parts.live);
  ladder.build(left);
  left.append(makeLaneChoice());
  for (const { body, panel } of panels)
    panel.build(body);
  ladder.fit();
  showTime();
}

/* ---- what follows the state ---- */

function showTime() {
  parts.clock.textContent = seconds(state.time, 6) + ' s';
  parts.slider.value = String(Math.round((state.time - sliderFrom()) / (sliderTo() - sliderFrom()) * 100000));
  parts.slider.setAttribute('aria-valuetext', seconds(state.time, 6) + ' s');
  parts.play.textContent = t(state.playing ? 'pause' : 'play');
  parts.play.setAttribute('aria-label', parts.play.textContent);
  parts.play.title = parts.play.textContent;
}

function onState(changed) {
  if (changed.has('lang') || !parts.clock)
    return;
  if (changed.has('at') && !changed.has('time'))
    state.time = timeOf(state.at);
  if (changed.has('at')) {
    changed.add('time');
    const p = packetOf(state.at);
    if (p >= 0 && packets.f[p] >= 0 && packets.f[p] !== state.flow) {
      state.flow = packets.f[p];
      changed.add('flow');
    }
  }
  ladder.update(changed);
  for (const [, panel] of PANELS)
    panel.update(changed);
  showTime();
  if (changed.has('at') && !state.playing) {
    announce(seconds(state.time) + ' s: ' + momentText(state.at));
    noteAddress();
  }
}

const PAPER_ROWS = 400;

function beforePaper() {
  const { sheets, missing } = ladder.drawSheets(900, 1150, PAPER_ROWS);
  parts.paper.replaceChildren(...sheets);
  parts.paperNote.textContent = missing ? t('paper_more', missing) : '';
}

(function start() {
  const first = flows.find((flow) => flow.proto === 6);
  state.flow = first ? first.index : flows.length ? 0 : -1;
  onChange(onState);
  build();
  change({ at: ladder.firstMoment() });
  goToAddress();
  addEventListener('hashchange', goToAddress);
  document.addEventListener('keydown', onKey);
  addEventListener('beforeprint', beforePaper);
  /* For the tests of the page, and for whoever looks at it with a browser's tools. */
  globalThis.hopscope = { state, change, step, stepFlow, goToTime, moments, flights, packets, flows, ladder, layersOf, labelOf, momentText, windowAt, stateAt,
    saidLine, saidOptions, search: (text) => { query = text; return search(1, false); }, setLanguage, nextTheme, beforePaper, isReady: true };
})();
