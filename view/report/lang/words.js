/* What the simulator says in English, said in Chinese: `words` is zh-wire.json and zh-words.json together. A text
 * that is put together from several (a number with its meaning, a length with its unit) is taken apart as README.md
 * describes. What is not known stays as it is: names, addresses, flags. */

const NUMBERS = /\b(0x[0-9a-f]+|\d+(\.\d+)?)\b/g;

function inChinese(words, text) {
  const known = (key) => Object.hasOwn(words, key) ? words[key] : null;
  if (known(text) !== null)
    return known(text);
  const numbers = text.match(NUMBERS) || [];
  const form = numbers.length ? known(text.replace(NUMBERS, '{}')) : null;
  if (form !== null)
    return form.replace(/\{\}/g, () => numbers.shift());
  const meaning = /^(.*?) ?\((.*)\)$/s.exec(text);
  if (meaning)
    return inChinese(words, meaning[1]) + '（' + inChinese(words, meaning[2]) + '）';
  const comma = text.lastIndexOf(', ');
  if (comma > 0) {
    const [left, right] = [text.slice(0, comma), text.slice(comma + 2)];
    const [a, b] = [inChinese(words, left), inChinese(words, right)];
    return a === left && b === right ? text : a + '，' + b;
  }
  const unit = /^(\S*\d\S*|) (.+)$/.exec(text);
  return unit && known(unit[2]) !== null ? unit[1] + ' ' + known(unit[2]) : text;
}

/* A packet in one line, as models/wire/dissect_summary.c puts it: `lines` is zh-lines.json, in which {} stands for each
 * value. Addresses, protocols and their notation (seq, win, Flags) stay. */
const VALUE = /"(?:[^"\\]|\\.)*"|(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])|\b0x[0-9a-f]+\b|\b\d+(?:\.\d+)*\b|(?<= )\?(?= |$)/g;

function lineInChinese(lines, words, text) {
  const [, head, body, piece] = /^((?:vlan \d+, )*(?:\S+ > \S+(?:: |, ))?)(.*?)( \(frag [^()]*\))?$/s.exec(text);
  const values = body.match(VALUE) || [];
  const known = (form) => Object.hasOwn(lines, form) ? lines[form] : Object.hasOwn(words, form) ? words[form] : null;

  function part(form) {
    if (known(form) !== null)
      return known(form);
    const fault = /^(.*?) ?\[(.*)\]$/s.exec(form); /* "IP [truncated]" */
    if (fault)
      return part(fault[1]) + '［' + part(fault[2]) + '］';
    const why = form.split(' - ');
    if (why.length === 2)
      return part(why[0]) + '：' + part(why[1]);
    const list = form.split(' '); /* what a bridge says of its port */
    return list.every((word) => known(word) !== null) ? list.map(known).join(' ') : form;
  }

  const form = body.replace(VALUE, '{}');
  const said = known(form) !== null ? known(form) : form.split(', ').map(part).join('，');
  return head.replace(/, /g, '，').replace(/: $/, '：') + said.replace(/\{\}/g, () => values.shift()) +
    (piece ? piece.replace(' (frag', '（' + lines.frag).replace(/\)$/, '）') : '');
}

/* TCP's options, as view/report_packets.c puts them. */
function optionsInChinese(lines, text) {
  return text.replace('TFO request', lines['TFO request']);
}

/* Why an expectation failed, as lua/hs/expect.lua and lua/bind put it: the place, then what was seen; the longer
 * forms first. What was seen stays as it is. */
const WHY_ZH = [
  [/^got (.*), expected nothing$/s, '得到 $1，不应有值'],
  [/^got (.*), expected (\S+) to (\S+)$/s, '得到 $1，应在 $2 与 $3 之间'],
  [/^got (.*), expected (.*)$/s, '得到 $1，应为 $2'],
  [/^got (.*)$/s, '得到 $1'],
  [/^saw (.*)$/s, '观察到 $1'],
  [/^the condition returned (.*)$/s, '条件返回了 $1'],
  [/^no error was raised$/, '没有引发错误'],
  [/^the error was (.*), expected one with (.*)$/s, '错误是 $1，应含有 $2'],
];

function whyInChinese(text) {
  const [, where, why] = /^(\S+:\d+: )?(.*)$/s.exec(text);
  const member = /^([\w.[\]"]+): (?=got )/.exec(why);
  const said = member ? why.slice(member[0].length) : why;
  for (const [form, chinese] of WHY_ZH)
    if (form.test(said))
      return (where || '') + (member ? member[1] + '：' : '') + said.replace(form, chinese);
  return text;
}
