/* Finding a moment: by what is written in the ladder, by a packet's number, by a time; and by the page's
 * address, so that a moment can be linked to and the browser's back button leads to where one was. */

/* ---- search ---- */

let query = '';

function matches(m, wanted) {
  if (momentText(m).toLowerCase().includes(wanted))
    return true;
  const p = packetOf(m);
  /* A packet is found by its line in English too. */
  if (p >= 0 && !isTcp(p) && string(packets.m[p]).toLowerCase().includes(wanted))
    return true;
  return p >= 0 && packets.f[p] >= 0 && flowName(flows[packets.f[p]]).toLowerCase().includes(wanted);
}

/* "1.5s", "t=20ms": in ns; null: no time. */
function timeIn(text) {
  const found = /^(?:t\s*=\s*)?(\d+(?:\.\d*)?|\.\d+)\s*(ns|us|µs|ms|s)$/i.exec(text);
  return found && Math.round(Number(found[1]) * { ns: 1, us: 1e3, 'µs': 1e3, ms: 1e6, s: 1e9 }[found[2].toLowerCase()]);
}

/* The first row from `state.at` on in this direction, round the end; -1: none. */
function matchingMoment(wanted, direction, here) {
  const list = ladder.rows(), n = list.length, i = lastUpTo(list, state.at);
  for (let k = here ? 0 : 1; k <= n; k++) {
    const m = list[(((i + direction * k) % n) + n) % n];
    if (moments.k[m] !== MOMENT.RECEIVED && matches(m, wanted))
      return m;
  }
  return -1;
}

/* Goes to what `query` names: "#17" packet 17, "20ms" that time, else the next moment with this text. `here`:
 * while it is being typed, so that the present moment may do. Returns whether there is one. */
function search(direction, here) {
  const wanted = query.trim().toLowerCase(), number = /^#\s*(\d+)$/.exec(wanted), time = timeIn(wanted);
  parts.found.textContent = '';
  if (!wanted)
    return false;
  const m = time !== null ? -1 : number ? momentOfPacket(Number(number[1])) : matchingMoment(wanted, direction, here);
  if (m >= 0 || time !== null) {
    const go = () => time !== null ? goToTime(time) : change({ at: m, playing: false });
    if (here)
      go();
    else
      leaping(go);
    return true;
  }
  parts.found.textContent = number ? t('no_such_packet', flights.n) : t('not_found');
  announce(parts.found.textContent);
  return false;
}

/* Packets are numbered from 1 in the order of their sending, on each link anew; -1: there is no such one. */
function momentOfPacket(number) {
  return number >= 1 && number <= flights.n ? flights.sent[number - 1] : -1;
}

/* ---- the address ---- */

let isLanguageChosen = addressed('lang') !== null, noting = 0;

function address() {
  const f = flightOf(state.at), place = [];
  if (f >= 0 && flights.sent[f] === state.at)
    place.push('packet=' + (f + 1));
  else if (state.at >= 0)
    place.push('moment=' + state.at);
  if (isLanguageChosen)
    place.push('lang=' + state.lang);
  return '#' + place.join('&');
}

/* A page inside of another one may not change its address; it works without. */
function setAddress(how) {
  clearTimeout(noting);
  noting = 0;
  try {
    history[how](null, '', address());
  } catch (error) {
    if (error.name !== 'SecurityError')
      throw error;
  }
}

/* Browsers refuse many changes within a short time: the address follows when the steps come to rest. */
function noteAddress() {
  clearTimeout(noting);
  noting = setTimeout(setAddress, 300, 'replaceState');
}

/* Goes elsewhere so that the browser's "back" leads here again. */
function leaping(go) {
  setAddress('replaceState');
  const here = address();
  go();
  if (address() !== here)
    setAddress('pushState');
}

function leap(values) {
  leaping(() => change({ ...values, playing: false }));
}

/* Goes where the address says: packet=17, moment=40, t=1.5 (seconds). What is not there is passed over. */
function goToAddress() {
  const lang = addressed('lang'), number = Number(addressed('packet')), moment = Number(addressed('moment') ?? -1);
  const time = /^\d+(\.\d+)?$/.exec(addressed('t') || '');
  if (LANGUAGES.includes(lang) && lang !== state.lang)
    setLanguage(lang);
  if (momentOfPacket(number) >= 0)
    change({ at: momentOfPacket(number), playing: false });
  else if (Number.isInteger(moment) && moment >= 0 && moment < moments.n)
    change({ at: moment, playing: false });
  else if (time)
    goToTime(Number(time[0]) * 1e9);
}
