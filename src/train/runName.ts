/** Names of runs: sortable by time, and with a word that people can say. */

const words = (
  'amber aspen basil birch brook cedar cloud comet coral daisy delta ember fern finch flint frost glade grove harbor ' +
  'hazel heron holly iris ivory jade juniper kelp lark laurel lilac linden lotus maple meadow mint moss oak olive onyx ' +
  'opal orchid otter pearl pebble pine plum poppy quartz quill raven reed river robin sage sparrow spruce stone summit ' +
  'thistle tulip valley willow wren'
).split(' ');

/** `<task>-<yyyymmdd-hhmmss>-<word>`, local time; the word is drawn, because it carries no meaning. */
export function runName(task: string, now: Date): string {
  const parts = [now.getMonth() + 1, now.getDate(), now.getHours(), now.getMinutes(), now.getSeconds()];
  const [month, day, ...time] = parts.map((part) => String(part).padStart(2, '0'));
  const word = words[Math.floor(Math.random() * words.length)];
  return `${task}-${now.getFullYear()}${month}${day}-${time.join('')}-${word}`;
}
