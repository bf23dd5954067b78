/** A graph in words: one line for every instruction, operators between their operands, sources and constants in place. */

import type { ScoreOp } from '../../core/scoreOps.js';
import { formatShape } from '../../core/shape.js';
import type { ScoreGraph } from './graph.js';

const infix: Partial<Record<ScoreOp, string>> = {
  ...{ add: '+', subtract: '-', multiply: '*', divide: '/', less: '<', lessEqual: '<=', equal: '==' },
};

type NameOf = (node: number) => string;

/** One node, its operands by the names that `nameOf` gives. */
function formatWith(graph: ScoreGraph, number: number, nameOf: NameOf): string {
  const { op, operands, value, source } = graph.node(number);
  if (op === 'constant') return Object.is(value, -0) ? '-0' : String(value);
  if (source) return `tensor${source.tensor}[${source.indices.map(nameOf).join(', ')}]`;
  if (operands.length === 0) return op;
  const names = operands.map(nameOf);
  return infix[op] ? names.join(` ${infix[op]} `) : `${op}(${names.join(', ')})`;
}

/** A node with everything it is computed from, in one line. */
export function formatNode(graph: ScoreGraph, number: number): string {
  const nameOf: NameOf = (operand) => {
    const { op } = graph.node(operand);
    return infix[op] ? `(${formatNode(graph, operand)})` : formatNode(graph, operand);
  };
  return formatWith(graph, number, nameOf);
}

/** The program that computes `result`: a line for each value that is neither a source nor a constant. */
export function formatProgram(graph: ScoreGraph, result: number): string {
  const names = new Map<number, string>();
  const nameOf: NameOf = (node) => names.get(node) ?? formatWith(graph, node, nameOf);
  const lines = graph.tensors.map(({ dtype, shape }, at) => `tensor${at} ${dtype} ${formatShape(shape)}`);
  for (const node of shown(graph, result)) {
    const text = formatWith(graph, node, nameOf);
    names.set(node, `%${names.size}`);
    lines.push(`${names.get(node)} = ${text}`);
  }
  return [...lines, `return ${nameOf(result)}`].join('\n');
}

/** Nodes with operands that `result` is written with: the arithmetic of a lookup's place is left out. */
function shown(graph: ScoreGraph, result: number): readonly number[] {
  const wanted = new Set<number>([result]);
  for (let number = result; number > 0; number--) {
    if (!wanted.has(number)) continue;
    const { operands, source } = graph.node(number);
    for (const operand of source?.indices ?? operands) wanted.add(operand);
  }
  const written = (number: number): boolean => graph.node(number).operands.length > 0;
  return [...wanted].filter(written).sort((a, b) => a - b);
}
