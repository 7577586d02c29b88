/* What the simulator says in English, said in Chinese: `words` is zh-wire.json and zh-words.json together. A text
 * that is put together from several (a number with its meaning, a length with its unit) is taken apart as README.md
 * describes. What is not known stays as it is: names, addresses, flags. */

function inChinese(words, text) {
  const known = (key) => Object.hasOwn(words, key) ? words[key] : null;
  if (known(text) !== null)
    return known(text);
  const numbers = text.match(/\b(0x[0-9a-f]+|\d+(\.\d+)?)\b/g) || [];
  const form = numbers.length ? known(text.replace(/\b(0x[0-9a-f]+|\d+(\.\d+)?)\b/g, '{}')) : null;
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
