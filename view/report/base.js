/* What every part of the page stands on: the data, elements, languages, numbers, and the state that they share. */

const DATA = JSON.parse(document.getElementById('data').textContent);
document.getElementById('data').remove();

/* ---- elements ---- */

function fill(el, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on'))
      el.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      el.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat())
    if (child !== null && child !== undefined)
      el.append(child);
  return el;
}

function html(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

/* How wide a text is, for labels that must fit. */
const measure = (function () {
  const context = document.createElement('canvas').getContext('2d');
  const known = new Map();
  return function (text, font) {
    const key = font + '\n' + text;
    let width = known.get(key);
    if (width === undefined) {
      context.font = font;
      width = context.measureText(text).width;
      if (known.size > 20000)
        known.clear();
      known.set(key, width);
    }
    return width;
  };
})();
const FONT = '"DejaVu Sans", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", system-ui, sans-serif';

function shorten(text, font, width) {
  if (measure(text, font) <= width)
    return text;
  let low = 0, high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (measure(text.slice(0, middle) + '…', font) <= width)
      low = middle;
    else
      high = middle - 1;
  }
  return text.slice(0, low) + '…';
}

/* Names often differ at their ends: what is left out is in the middle. */
function shortenName(name, font, width) {
  if (measure(name, font) <= width)
    return name;
  let kept = name.length - 1;
  const some = () => name.slice(0, kept >> 1) + '…' + name.slice(name.length - kept + (kept >> 1));
  while (kept > 1 && measure(some(), font) > width)
    kept--;
  return some();
}

/* A text of a drawing that takes at most `width`; if it is cut, pointing at it shows all. */
function fitted(attributes, text, font, width, cut = shorten) {
  const short = cut(text, font, width), el = svg('text', attributes, short);
  if (short !== text)
    el.append(svg('title', {}, text));
  return el;
}

/* Lines of at most `width`; breaks at blanks, and anywhere in scripts that have none. */
function wrap(text, font, width) {
  const lines = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.match(/[\u2e80-\uffef]|[^\s\u2e80-\uffef]+|\s+/g) || []) {
      if (line && measure(line + word, font) > width) {
        lines.push(line.trimEnd());
        line = /^\s/.test(word) ? '' : word;
      } else {
        line += word;
      }
    }
    lines.push(line.trimEnd());
  }
  return lines;
}

/* ---- languages ---- */

const LANGUAGES = ['en', 'zh'];

/* What the address says behind its #: "packet=17&lang=zh". */
function addressed(name) {
  return new URLSearchParams(location.hash.slice(1)).get(name);
}

function preferredLanguage() {
  if (LANGUAGES.includes(addressed('lang')))
    return addressed('lang');
  return DATA.lang || ((navigator.language || 'en').toLowerCase().startsWith('zh') ? 'zh' : 'en');
}

/* A text of strings.json, with {0}, {1} … replaced; {0|byte|bytes} is the first word where that is 1, else the second. */
function t(key, ...values) {
  const text = STRINGS[key];
  if (!text)
    throw new Error('no text "' + key + '"');
  return (text[state.lang] || text.en).replace(/\{(\d)\|([^|}]*)\|([^}]*)\}/g, (_, i, one, more) => Number(values[i]) === 1 ? one : more)
    .replace(/\{(\d)\}/g, (_, i) => values[i]);
}

/* What the simulator says in English: labels of fields, reasons of drops, names of timers; what the scenario expects. */
const WORDS = { ...ZH_WIRE, ...ZH_WORDS, ...Object.fromEntries(DATA.words) };

/* By hs.translate: in one piece, or with its numbers as {}. */
const TRANSLATED = new Map(DATA.words);

function translated(text) {
  const numbers = text.match(NUMBERS) || [], form = text.replace(NUMBERS, '{}');
  if (TRANSLATED.has(text))
    return TRANSLATED.get(text);
  return TRANSLATED.has(form) ? TRANSLATED.get(form).replace(/\{\}/g, () => numbers.shift()) : null;
}

function said(text) {
  return state.lang === 'zh' ? inChinese(WORDS, text) : text;
}

/* A packet in one line; asked for again and again. */
const saidLine = (function () {
  const known = new Map();
  return function (text) {
    if (state.lang !== 'zh')
      return text;
    if (!known.has(text))
      known.set(text, lineInChinese(ZH_LINES, WORDS, text));
    return known.get(text);
  };
})();

function saidOptions(text) {
  return state.lang === 'zh' ? optionsInChinese(ZH_LINES, text) : text;
}

function string(index) {
  return index < 0 ? '' : DATA.strings[index];
}

/* ---- numbers ---- */

/* Seconds with as many decimals as asked for; exact, as times are whole nanoseconds. */
function seconds(ns, decimals) {
  const digits = decimals === undefined ? 6 : decimals;
  const unit = 10 ** (9 - digits);
  const whole = Math.round(ns / unit);
  const text = String(Math.abs(whole)).padStart(digits + 1, '0');
  return (whole < 0 ? '-' : '') + text.slice(0, -digits) + '.' + text.slice(-digits);
}

function trimmed(value) {
  return String(Number(value.toPrecision(4)));
}

function duration(ns) {
  const units = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']];
  for (const [size, name] of units)
    if (ns >= size)
      return trimmed(ns / size) + ' ' + name;
  return '0 s';
}

function rate(bps) {
  if (!bps)
    return '∞';
  const units = [[1e9, 'Gbit/s'], [1e6, 'Mbit/s'], [1e3, 'kbit/s'], [1, 'bit/s']];
  for (const [size, name] of units)
    if (bps >= size)
      return trimmed(bps / size) + ' ' + name;
  return '0';
}

function grouped(n) {
  return String(n).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

function undelta(list) {
  const out = new Float64Array(list.length);
  let sum = 0;
  for (let i = 0; i < list.length; i++)
    out[i] = sum += list[i];
  return out;
}

/* The last index i of a sorted list with list[i] <= value, -1 if there is none. */
function lastUpTo(list, value, end) {
  let low = -1, high = (end === undefined ? list.length : end) - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle] <= value)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

/* ---- the state ---- */

const state = {
  lang: preferredLanguage(),
  theme: '',      /* '' as the system, 'light', 'dark' */
  at: -1,         /* the moment that is looked at: index of moments, -1: before the first */
  time: 0,        /* of the run, in ns: of that moment, or between it and the next while playing */
  flow: -1,       /* whose states, windows and plots are shown */
  playing: false,
};

const listeners = [];

/* Called after each change of the state with the set of names that changed. */
function onChange(fn) {
  listeners.push(fn);
}

function change(values) {
  const changed = new Set();
  for (const [name, value] of Object.entries(values))
    if (state[name] !== value) {
      state[name] = value;
      changed.add(name);
    }
  if (changed.size)
    for (const fn of listeners)
      fn(changed);
}
