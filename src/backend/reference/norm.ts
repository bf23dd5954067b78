/**
 * Layer norm and RMS norm over the last axis, with gradients. Two passes: the mean first, then the deviations from it;
 * the one-pass variance E[x²] - E[x]² loses all digits when the mean is large.
 */

import type { ReferenceKernel } from './kernel.js';
import type { Strided } from './strided.js';

/** `out = (x - mean)·rstd·gamma + beta`, biased variance, `rstd = 1/√(variance + epsilon)` */
export const layerNorm: ReferenceKernel<'layer_norm_f32'> = ({ out, mean, rstd, x, gamma, beta }, { epsilon }) => {
  const [M, E] = x.shape as [number, number];
  for (let m = 0; m < M; m++) {
    let sum = 0;
    for (let e = 0; e < E; e++) sum += x.at(m, e);
    const centre = sum / E;
    let squares = 0;
    for (let e = 0; e < E; e++) squares += (x.at(m, e) - centre) ** 2;
    const scale = 1 / Math.sqrt(squares / E + epsilon);
    for (let e = 0; e < E; e++) {
      const normal = (x.at(m, e) - centre) * scale;
      out.store(out.position(m, e), normal * (gamma?.at(e) ?? 1) + (beta?.at(e) ?? 0));
    }
    mean.store(mean.position(m), centre);
    rstd.store(rstd.position(m), scale);
  }
};

/** `out = x·rstd·gamma`, `rstd = 1/√(mean(x²) + epsilon)` */
export const rmsNorm: ReferenceKernel<'rms_norm_f32'> = ({ out, rstd, x, gamma }, { epsilon }) => {
  const [M, E] = x.shape as [number, number];
  for (let m = 0; m < M; m++) {
    let squares = 0;
    for (let e = 0; e < E; e++) squares += x.at(m, e) ** 2;
    const scale = 1 / Math.sqrt(squares / E + epsilon);
    for (let e = 0; e < E; e++) out.store(out.position(m, e), x.at(m, e) * scale * (gamma?.at(e) ?? 1));
    rstd.store(rstd.position(m), scale);
  }
};

interface NormGradient {
  readonly dx: Strided;
  readonly dgamma: Strided | undefined;
  readonly dbeta: Strided | undefined;
  readonly dout: Strided;
  readonly x: Strided;
  readonly mean: Strided | undefined;
  readonly rstd: Strided;
  readonly gamma: Strided | undefined;
}

/**
 * With n the normalised row and g = dout·gamma: `dx = rstd·(g - mean(g) - n·mean(g·n))`; RMS norm has no `mean(g)`.
 * `dgamma = Σ_m dout·n`, `dbeta = Σ_m dout`.
 */
function normBackward({ dx, dgamma, dbeta, dout, x, mean, rstd, gamma }: NormGradient): void {
  const [M, E] = x.shape as [number, number];
  const [sumGamma, sumBeta] = [new Float64Array(E), new Float64Array(E)];
  for (let m = 0; m < M; m++) {
    const [centre, scale] = [mean?.at(m) ?? 0, rstd.at(m)];
    const normal = (e: number): number => (x.at(m, e) - centre) * scale;
    let [sum, product] = [0, 0];
    for (let e = 0; e < E; e++) {
      const [dy, n] = [dout.at(m, e), normal(e)];
      const g = dy * (gamma?.at(e) ?? 1);
      sum += g;
      product += g * n;
      sumGamma[e] = (sumGamma[e] as number) + dy * n;
      sumBeta[e] = (sumBeta[e] as number) + dy;
    }
    const common = mean === undefined ? 0 : sum / E;
    for (let e = 0; e < E; e++) {
      const g = dout.at(m, e) * (gamma?.at(e) ?? 1);
      dx.store(dx.position(m, e), scale * (g - common - (normal(e) * product) / E));
    }
  }
  dgamma?.writeRow(dgamma.offset, sumGamma);
  dbeta?.writeRow(dbeta.offset, sumBeta);
}

export const layerNormBackward: ReferenceKernel<'layer_norm_backward_f32'> = ({ dgamma, dbeta, gamma, ...rest }) =>
  normBackward({ ...rest, dgamma, dbeta, gamma });

export const rmsNormBackward: ReferenceKernel<'rms_norm_backward_f32'> = ({ dgamma, gamma, ...rest }) =>
  normBackward({ ...rest, dgamma, gamma, dbeta: undefined, mean: undefined });
