/* The packet under the cursor: its fields with values and what they are for, and its bytes; each side shows
 * where the other is. */

const packetPanel = (function () {
  const FEW_BYTES = 160;
  let fieldList, dump, heading, explain, copied, copyLine;
  let shownPacket = -1, shownLang = '', bytes = null, layers = [], rowsOfField = [], cells = [], all = false;
  let picked = -1, hovered = -1; /* fields */

  function allFields() {
    return layers.flatMap((layer) => layer.fields);
  }

  function build(into) {
    heading = html('p', { class: 'packet-head' });
    explain = html('p', { class: 'explain', 'aria-live': 'polite' });
    fieldList = html('div', { class: 'fields', role: 'group', 'aria-label': t('fields_label') });
    dump = html('div', { class: 'dump', 'aria-label': t('bytes_label'), role: 'group' });
    copied = html('span', { class: 'quiet', role: 'status' });
    into.append(heading, html('div', { class: 'packet-parts' }, html('div', { class: 'field-side' }, fieldList),
      html('div', { class: 'dump-side' }, dump, copyLine = html('p', { class: 'copy' }, html('button', { type: 'button', onclick: copyBytes }, t('copy_hex')), ' ', copied), explain)));
    fieldList.addEventListener('mouseover', (e) => hover(fieldAt(e.target)));
    fieldList.addEventListener('mouseleave', () => hover(-1));
    fieldList.addEventListener('click', (e) => fieldAt(e.target) >= 0 && pick(fieldAt(e.target)));
    fieldList.addEventListener('focusin', (e) => fieldAt(e.target) >= 0 && pick(fieldAt(e.target)));
    fieldList.addEventListener('keydown', moveInList);
    dump.addEventListener('mouseover', (e) => hover(fieldOfByte(e.target)));
    dump.addEventListener('mouseleave', () => hover(-1));
    dump.addEventListener('click', (e) => {
      const field = fieldOfByte(e.target);
      if (field >= 0) {
        pick(field);
        rowsOfField[field].scrollIntoView({ block: 'nearest' });
      }
    });
    shownPacket = -1;
    show();
  }

  function fieldAt(target) {
    const row = target.closest('[data-field]');
    return row ? Number(row.dataset.field) : -1;
  }

  /* The field with the fewest bits that has this byte. */
  function fieldOfByte(target) {
    const cell = target.closest('[data-byte]');
    if (!cell)
      return -1;
    const at = Number(cell.dataset.byte);
    let best = -1;
    allFields().forEach((field, i) => {
      if (field.bits && field.bit >> 3 <= at && (field.bit + field.bits + 7) >> 3 > at &&
          (best < 0 || field.bits < allFields()[best].bits))
        best = i;
    });
    return best;
  }

  function moveInList(e) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (!step)
      return;
    e.preventDefault();
    e.stopPropagation();
    const list = rowsOfField.filter((row) => row.offsetParent);
    const next = list[list.indexOf(document.activeElement) + step];
    if (next)
      next.focus();
  }

  /* As text2pcap and Wireshark's "Import from hex dump" read it. */
  function hexText() {
    const lines = [];
    for (let i = 0; i < bytes.length; i += 16)
      lines.push(i.toString(16).padStart(6, '0') + '  ' + Array.from(bytes.subarray(i, i + 16), hexByte).join(' '));
    return lines.join('\n') + '\n';
  }

  async function copyBytes() {
    const n = bytes.length, total = packets.y[shownPacket];
    try {
      await navigator.clipboard.writeText(hexText());
      copied.textContent = n < total ? t('copied_some', n, total) : t('copied', n);
    } catch { /* a browser may refuse, and has none for pages that are not trusted */
      copied.textContent = t('not_copied');
    }
  }

  /* ---- marks ---- */

  function mark(field, name) {
    rowsOfField.forEach((row, i) => row.classList.toggle(name, i === field));
    const f = field >= 0 ? allFields()[field] : null;
    const first = f && f.bits ? f.bit >> 3 : -1, end = f && f.bits ? (f.bit + f.bits + 7) >> 3 : -1;
    for (const list of cells)
      list.forEach((cell, i) => cell.classList.toggle(name, i >= first && i < end));
  }

  function hover(field) {
    if (field !== hovered) {
      hovered = field;
      mark(field, 'hover');
      tell();
    }
  }

  function pick(field) {
    picked = field;
    mark(field, 'picked');
    rowsOfField.forEach((row, i) => {
      row.setAttribute('tabindex', i === field ? '0' : '-1');
      row.setAttribute('aria-selected', String(i === field));
    });
    tell();
  }

  function tell() {
    const field = allFields()[hovered >= 0 ? hovered : picked];
    if (!field) {
      explain.replaceChildren(t('explain_hint'));
      return;
    }
    const where = field.bits ? t('field_place', field.bit >> 3, field.bits % 8 ? t('bits', field.bits) : t('n_bytes', field.bits / 8)) : t('field_derived');
    const pattern = bitPattern(bytes, field);
    explain.replaceChildren(html('strong', {}, said(field.label)), ' ', html('span', { class: 'quiet' }, where),
      pattern ? html('code', {}, ' ' + pattern) : null, html('br'), said(field.note || ''));
  }

  /* ---- building ---- */

  function makeFields() {
    let nth = 0;
    rowsOfField = [];
    fieldList.replaceChildren(...layers.map((layer) => {
      const rows = layer.fields.map((field) => {
        const i = nth++;
        const single = field.kind === 'bool' && field.bits === 1;
        const row = html('div', { class: 'field' + (single ? ' flag' : ''), role: 'option', 'aria-selected': 'false', 'data-field': i, tabindex: i ? '-1' : '0', title: said(field.note || '') },
          html('span', { class: 'name' }, said(field.label)), html('span', { class: 'value' }, field.text));
        rowsOfField.push(row);
        return row;
      });
      const size = t('n_bytes', layer.len);
      return html('details', { open: true, class: 'layer depth' + Math.min(layer.depth, 2) },
        html('summary', {}, said(layer.title), ' ', html('span', { class: 'quiet' }, size)),
        html('div', { role: 'listbox', 'aria-label': said(layer.title) }, ...rows));
    }));
  }

  function makeDump() {
    const n = all ? bytes.length : Math.min(bytes.length, FEW_BYTES), total = packets.y[shownPacket];
    const lines = [];
    cells = [[], []];
    for (let i = 0; i < n; i += 16) {
      const hex = [], text = [];
      for (let k = i; k < Math.min(n, i + 16); k++) {
        const printable = bytes[k] >= 0x20 && bytes[k] < 0x7f;
        cells[0].push(html('span', { 'data-byte': k }, hexByte(bytes[k])));
        cells[1].push(html('span', { 'data-byte': k }, printable ? String.fromCharCode(bytes[k]) : '·'));
        hex.push(k % 8 === 0 && k % 16 ? '  ' : k % 16 ? ' ' : '', cells[0][k]);
        text.push(cells[1][k]);
      }
      lines.push(html('div', { class: 'line' }, html('span', { class: 'offset' }, i.toString(16).padStart(4, '0')),
        html('span', { class: 'hex' }, ...hex), html('span', { class: 'ascii' }, ...text)));
    }
    if (n < bytes.length)
      lines.push(html('button', { type: 'button', onclick: () => { all = true; makeDump(); mark(picked, 'picked'); } }, t('show_bytes', bytes.length)));
    else if (n < total)
      lines.push(html('p', { class: 'quiet' }, t('more_bytes', total - n)));
    dump.replaceChildren(...lines);
  }

  function headOf(p) {
    const f = flightOf(state.at);
    const parts = [html('strong', {}, labelOf(p))];
    const more = [f >= 0 ? t('packet_number', f + 1, flights.n) : '', t('n_bytes', packets.y[p]), t('made_by', nodes[packets.maker[p]] ? nodes[packets.maker[p]].name : '?')];
    if (f >= 0) {
      const link = linkOf(f), end = flights.end[f];
      more.push(link ? t('on_link', link.name) : '');
      more.push(t('sent_at', seconds(sentAt(f), 9)));
      if (end >= 0)
        more.push(t(moments.k[end] === MOMENT.LOST ? 'lost_at' : 'received_at', seconds(moments.t[end], 9)));
      if (flights.r[f] >= 0)
        more.push(t('reason', said(string(flights.r[f]))));
    }
    if (isRetransmission[p])
      more.push(t('again_long'));
    for (let i = 0; i < DATA.malformed.length; i += 3)
      if (DATA.malformed[i] === p)
        more.push(t('malformed', DATA.malformed[i + 1], said(string(DATA.malformed[i + 2]))));
    parts.push(html('br'), html('span', { class: 'quiet' }, more.filter((text) => text).join(' · ')));
    return parts;
  }

  /* Of the last moment that has a packet, so that a change of state does not blank the panel. */
  function current() {
    let m = state.at;
    while (m >= 0 && packetOf(m) < 0)
      m--;
    return m >= 0 ? packetOf(m) : -1;
  }

  function show() {
    const p = current();
    copyLine.hidden = p < 0;
    if (p < 0) {
      heading.replaceChildren(html('span', { class: 'quiet' }, t('no_packet')));
      fieldList.replaceChildren();
      dump.replaceChildren();
      explain.replaceChildren();
      shownPacket = -1;
      layers = [];
      rowsOfField = [];
      cells = [];
      return;
    }
    heading.replaceChildren(...headOf(p));
    if (p === shownPacket && shownLang === state.lang)
      return;
    shownPacket = p;
    shownLang = state.lang;
    all = false;
    bytes = bytesOf(p);
    layers = layersOf(p);
    picked = hovered = -1;
    copied.textContent = '';
    makeFields();
    makeDump();
    tell();
  }

  function update(changed) {
    if (changed.has('at'))
      show();
  }

  return { build, update };
})();
