/* A packet's layers and fields, from its shape, its values and its bytes (view/report_fields.h). No header's
 * layout is known here: only how a field of each kind is written. */

function readBits(bytes, bit, bits) {
  let value = 0n;
  for (let i = bit; i < bit + bits; i++)
    value = value << 1n | BigInt(bytes[i >> 3] >> (7 - (i & 7)) & 1);
  return value;
}

function hexByte(byte) {
  return byte.toString(16).padStart(2, '0');
}

/* As the dissector cuts them (models/wire/wire.c, WIRE_TEXT_LEN). */
const MOST_BYTES = 62, MOST_TEXT = 184;

/* Characters as they are, others as in C strings. */
function textBytes(bytes, total) {
  const named = { 9: '\\t', 10: '\\n', 13: '\\r', 92: '\\\\' };
  let text = '';
  for (const b of bytes) {
    if (text.length > MOST_TEXT)
      return text + '…';
    text += named[b] || (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '\\x' + hexByte(b));
  }
  return text + (bytes.length < total ? '…' : '');
}

/* The field as its kind is written; null: its bytes are not all here. `bit` counts from the packet's first. */
function plain(kind, bytes, bit, bits) {
  const first = bit >> 3, end = (bit + bits + 7) >> 3;
  if (kind === 'text')
    return textBytes(bytes.subarray(first, end), end - first);
  if (kind === 'bytes') {
    const here = bytes.subarray(first, Math.min(end, first + MOST_BYTES));
    return Array.from(here, hexByte).join(' ') + (here.length < end - first ? ' …' : '');
  }
  if (end > bytes.length)
    return null;
  const value = readBits(bytes, bit, bits);
  switch (kind) {
  case 'uint':
    return value.toString();
  case 'bool':
    return value ? 'yes' : 'no';
  case 'mac':
    return Array.from(bytes.subarray(first, end), hexByte).join(':');
  case 'ip4':
    return Array.from(bytes.subarray(first, end)).join('.');
  default:
    return '0x' + value.toString(16).padStart((bits + 3) >> 2, '0');
  }
}

/* The text of value n of the field (0: as plain, 2 n + 1: behind it, 2 n + 2: instead of it). */
function valueText(kind, text, value) {
  const start = text === null ? '…' : text;
  if (value === 0 && (kind === 'bytes' || kind === 'text')) /* what a program sent is nobody's to translate */
    return start;
  if (value === 0)
    return said(start);
  return said(value % 2 ? start + DATA.strings[(value - 1) / 2] : DATA.strings[value / 2 - 1]);
}

/* [{ title, name, off, len, depth, fields: [{ name, label, note, kind, bit, bits, text }] }] */
function layersOf(p) {
  const bytes = bytesOf(p), values = DATA.values[packets.v[p]];
  let nth = 0;
  const layers = DATA.shapes[packets.h[p]].map(([title, name, off, len, depth, list]) => {
    const fields = [];
    for (let i = 0; i < list.length; i += 3) {
      const [fieldName, label, note, kind] = DATA.defs[list[i]];
      const bit = off * 8 + list[i + 1], bits = list[i + 2];
      const text = bits ? plain(kind, bytes, bit, bits) : null;
      fields.push({ name: fieldName, label, note, kind, bit, bits, text: valueText(kind, text, values[nth++] || 0) });
    }
    return { title, name, off, len, depth, fields };
  });
  const all = layers.flatMap((layer) => layer.fields);
  for (const field of all)
    if (field.kind === 'bytes')
      field.text = field.text.replace(/\{#(\d+)\}/g, (_, i) => all[i] ? all[i].text : '?');
  return layers;
}

/* "0100 ...." for a field that is not whole bytes; '' otherwise. */
function bitPattern(bytes, field) {
  const first = field.bit >> 3, end = (field.bit + field.bits + 7) >> 3;
  if (!field.bits || (field.bit % 8 === 0 && field.bits % 8 === 0) || end > bytes.length || end - first > 2)
    return '';
  let out = '';
  for (let i = first * 8; i < end * 8; i++) {
    const inside = i >= field.bit && i < field.bit + field.bits;
    out += (i % 4 === 0 && out ? ' ' : '') + (inside ? String(bytes[i >> 3] >> (7 - (i & 7)) & 1) : '·');
  }
  return out;
}
