/**
 * Attention backward: gradients of `out`, `lse`, the statistics and `relativeMass` with respect to q, k, v, bias, relative
 * and sinks. p is recomputed row by row from `lse`, so the scratch is O(S·D) for the sums of one key head.
 *
 * With z the dropped-out p:
 *   dv_j  = Σ_i z_ij·dout_i              dp_ij = dropout(dout_i·v_j)
 *   ds_ij = p_ij·(dp_ij - dout_i·out_i)  (because Σ_j p_ij·dp_ij = dout_i·out_i; lse and statistics: see
 *          attentionStatisticsGradient.ts)
 *   relativeMass: dp_ij += dropout(drelativeMass_i,r(ij)), and its product with relativeMass joins dout_i·out_i
 *   dbias = ds,  drelative_ir = Σ ds_ij over the keys of column r,  dsinks_h = Σ_i p_sink·(0 - dout_i·out_i)
 *   dx_ij = ds_ij·program'·softcap'·scale,  dq_i = Σ_j dx_ij·k_j,  dk_j = Σ_i dx_ij·q_i
 */

import { BackendError } from '../../core/errors.js';
import type { Scalars } from '../contract.js';
import { ColumnSums, relativeColumn } from './attentionRelative.js';
import { AttentionRow, headsPerKeyHead } from './attentionRow.js';
import { StatisticsGradient } from './attentionStatisticsGradient.js';
import { dropoutRow } from './elementwise.js';
import type { ReferenceKernel, ReferenceOperands } from './kernel.js';
import type { Strided } from './strided.js';
import { addScaled, dot, scatterScaled } from './vector.js';

type Operands = ReferenceOperands<'attention_backward_f32'>;
type Options = Scalars<'attention_backward_f32'>;

export const attentionBackward: ReferenceKernel<'attention_backward_f32'> = (operands, scalars) => {
  const { q, k, dbias, drelative, dsinks } = operands;
  const [B, , L] = q.shape as [number, number, number, number];
  const G = k.shape[1] as number;
  const share = headsPerKeyHead(q, k);
  checkSums(operands);
  for (const sums of [dbias, drelative]) if (sums) clear(sums);
  for (let h = 0; dsinks && h < (dsinks.shape[0] as number); h++) dsinks.store(dsinks.position(h), 0);
  const head = new KeyHeadGradient(operands, scalars);
  if (dbias) clear(dbias);
  for (let b = 0; b < B; b++) {
    for (let g = 0; g < G; g++) {
      head.open(b, g);
      for (let h = g * share; h < (g + 1) * share; h++) for (let i = 0; i < L; i++) head.addRow(h, i);
      head.close();
    }
  }
  head.finish();
};

function clear(view: Strided): void {
  const [A, B, M, N] = view.shape as [number, number, number, number];
  const zeros = new Float64Array(N);
  for (let a = 0; a < A; a++)
    for (let b = 0; b < B; b++) for (let m = 0; m < M; m++) view.writeRow(view.position(a, b, m), zeros);
}

/** Throws for a gradient that its own forward operand does not go with. */
function checkSums({ q, drelative, relative, dsinks, sinks, drelativeMass, relativeMass }: Operands): void {
  const rows = drelative?.shape[2] ?? 1;
  const complete = (!drelative || relative) && (!dsinks || sinks) && (!drelativeMass || relativeMass);
  if (complete && (rows === 1 || rows === q.shape[2])) return;
  throw new BackendError(
    `attention_backward_f32: expected drelative of 1 or L rows beside relative, dsinks beside sinks, drelativeMass beside relativeMass, got ${rows} rows`,
  );
}

/** Rows of a [B, G, S, D] view as packed float64: one head at a time. */
class Head {
  readonly rows: Float64Array;
  readonly width: number;
  readonly #height: number;

  constructor(view: Strided) {
    [this.#height, this.width] = view.shape.slice(2) as [number, number];
    this.rows = new Float64Array(this.#height * this.width);
  }

  #row(j: number): Float64Array {
    return this.rows.subarray(j * this.width, (j + 1) * this.width);
  }

  read(view: Strided, b: number, g: number): void {
    for (let j = 0; j < this.#height; j++) view.readRow(view.position(b, g, j), this.#row(j));
  }

  write(view: Strided, b: number, g: number): void {
    for (let j = 0; j < this.#height; j++) view.writeRow(view.position(b, g, j), this.#row(j));
  }
}

/** Collects dk and dv of one key head while the query rows that read it go by. */
class KeyHeadGradient {
  readonly #operands: Operands;
  readonly #options: Options;
  readonly #row: AttentionRow;
  readonly #statistics: StatisticsGradient | undefined;
  readonly #relative: ColumnSums;
  readonly #k: Head;
  readonly #v: Head;
  readonly #dk: Head;
  readonly #dv: Head;
  readonly #dq: Float64Array;
  readonly #dout: Float64Array;
  readonly #out: Float64Array;
  readonly #dcaptured: Float64Array | undefined;
  #b = 0;
  #g = 0;

  constructor(operands: Operands, options: Options) {
    const { k, v } = operands;
    this.#operands = operands;
    this.#options = options;
    this.#row = new AttentionRow(operands, options);
    this.#relative = new ColumnSums(operands.drelative, options);
    const { dlse, dstatistics } = operands;
    this.#statistics = (dlse ?? dstatistics) && new StatisticsGradient(operands, options);
    [this.#k, this.#v, this.#dk, this.#dv] = [new Head(k), new Head(v), new Head(k), new Head(v)];
    this.#dq = new Float64Array(this.#k.width);
    this.#dout = new Float64Array(this.#v.width);
    this.#out = new Float64Array(this.#v.width);
    this.#dcaptured = operands.dcaptured && new Float64Array(operands.dcaptured.shape[0] as number);
  }

  open(b: number, g: number): void {
    [this.#b, this.#g] = [b, g];
    this.#k.read(this.#operands.k, b, g);
    this.#v.read(this.#operands.v, b, g);
    this.#dk.rows.fill(0);
    this.#dv.rows.fill(0);
  }

  close(): void {
    this.#dk.write(this.#operands.dk, this.#b, this.#g);
    this.#dv.write(this.#operands.dv, this.#b, this.#g);
  }

  /** Writes what was summed over all heads. */
  finish(): void {
    const { dcaptured } = this.#operands;
    if (this.#dcaptured) dcaptured?.writeRow(dcaptured.offset, this.#dcaptured);
  }

  addRow(h: number, i: number): void {
    const { dq, dout, out, lse, drelative } = this.#operands;
    const b = this.#b;
    this.#row.moveTo(b, h, this.#g, i);
    this.#relative.moveTo(i);
    this.#statistics?.moveTo(b, h, i);
    dout.readRow(dout.position(b, h, i), this.#dout);
    out.readRow(out.position(b, h, i), this.#out);
    this.#dq.fill(0);
    const mean = dot(this.#dout, this.#out) + this.#massTerm(h, i);
    this.#addKeys(h, i, lse.at(b, h, i), mean);
    this.#addSink(h, lse.at(b, h, i), mean);
    this.#relative.write(b, h, drelative?.shape[2] === 1 ? 0 : i, true);
    dq.writeRow(dq.position(b, h, i), this.#dq);
  }

  /** Σ_r drelativeMass·relativeMass of one row, its part of Σ_j p_ij·dp_ij. */
  #massTerm(h: number, i: number): number {
    const { relativeMass, drelativeMass } = this.#operands;
    let sum = 0;
    for (let r = 0; relativeMass && drelativeMass && r < (relativeMass.shape[3] as number); r++)
      sum += drelativeMass.at(this.#b, h, i, r) * relativeMass.at(this.#b, h, i, r);
    return sum;
  }

  /** The gradient of weight p_ij beside dout_i·v_j. */
  #massGradient(h: number, i: number, j: number): number {
    const { drelativeMass: gradient } = this.#operands;
    if (!gradient) return 0;
    return gradient.at(this.#b, h, i, relativeColumn(i, j, this.#options, gradient.shape[3] as number));
  }

  /** The sink is a key whose value is 0. */
  #addSink(h: number, lse: number, mean: number): void {
    const { sinks, dsinks } = this.#operands;
    if (!sinks || !dsinks || this.#row.count === 0) return;
    const p = Math.exp(sinks.at(h) - lse);
    const at = dsinks.position(h);
    dsinks.store(at, dsinks.load(at) + p * ((this.#statistics?.sinkDerivative() ?? 0) - mean));
  }

  #addKeys(h: number, i: number, lse: number, mean: number): void {
    const { dbias, q } = this.#operands;
    const { dropoutRate, seed, stream, scale } = this.#options;
    const [, H, L] = q.shape as [number, number, number, number];
    const { keep, growth } = dropoutRow(dropoutRate, seed, stream, (this.#b * H + h) * L + i);
    const row = this.#row;
    for (let n = 0; n < row.count; n++) {
      const j = row.key(n);
      const x = row.score(n) - lse;
      const p = Math.exp(x);
      const kept = dropoutRate === 0 || keep(j);
      const dp = kept ? growth * (dot(this.#dout, this.#v.rows, j * this.#v.width) + this.#massGradient(h, i, j)) : 0;
      const ds = p * (dp - mean) + (this.#statistics?.derivative(j, x, p) ?? 0);
      const dx = row.backpropagate(n, ds, this.#dcaptured) * scale;
      if (kept) scatterScaled(this.#dv.rows, j * this.#v.width, p * growth, this.#dout);
      addScaled(this.#dq, dx, this.#k.rows, j * this.#k.width);
      scatterScaled(this.#dk.rows, j * this.#k.width, dx, row.query);
      dbias?.store(dbias.position(this.#b, h, i, j), ds);
      this.#relative.add(j, ds);
    }
  }
}
