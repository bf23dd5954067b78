/**
 * Where commands write. For people: lines and tables on stdout. With `--json`: exactly one JSON object on stdout, last,
 * and everything for people on stderr. Progress of long work is next door in progress.ts.
 */

import Table from 'cli-table3';

export class Output {
  readonly #json: boolean;

  constructor({ json = false }: { readonly json?: boolean | undefined }) {
    this.#json = json;
  }

  /** The stream that people read. */
  get stream(): NodeJS.WriteStream {
    return this.#json ? process.stderr : process.stdout;
  }

  line(text = ''): void {
    this.stream.write(`${text}\n`);
  }

  /** Rows of cells in columns, without rules: legible on a terminal and in a log. */
  table(rows: readonly (readonly string[])[]): void {
    const table = new Table({ chars: noRules, style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] } });
    table.push(...rows.map((row) => [...row]));
    for (const line of table.toString().split('\n')) this.line(line.trimEnd());
  }

  /** The answer of the command for machines; nothing without `--json`. */
  result(value: object): void {
    if (this.#json) process.stdout.write(`${JSON.stringify(value)}\n`);
  }
}

const noRules = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid'].flatMap((side) =>
    ['', '-mid', '-left', '-right'].map((corner) => [`${side}${corner}`, '']),
  ),
);
noRules.middle = '';
