/**
 * The complementary error function in float64, for the exact gelu. Relative error about 1e-15.
 *
 * Source: W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), and his
 * Fortran CALERF (1990), whose coefficients these are.
 */

interface Rational {
  readonly numerator: readonly number[];
  readonly denominator: readonly number[];
}

/** erf(x)/x for |x| <= 0.46875, in x². */
const small: Rational = {
  numerator: [0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694],
  denominator: [1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171],
};

/** e^(x²)·erfc(x) for 0.46875 <= x <= 4, in x. */
const middle: Rational = {
  numerator: [
    2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
    881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
  ],
  denominator: [
    1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
    4362.619090143247, 3439.3676741437216, 1230.3393548037495,
  ],
};

/** (1/√π - x·e^(x²)·erfc(x))·x² for x >= 4, in 1/x². */
const large: Rational = {
  numerator: [
    0.016315387137302097, 0.30532663496123236, 0.36034489994980445, 0.12578172611122926, 0.016083785148742275,
    0.0006587491615298378,
  ],
  denominator: [
    1, 2.568520192289822, 1.8729528499234673, 0.5279051029514285, 0.06051834131244132, 0.0023352049762686918,
  ],
};

const inverseSqrtPi = 0.5641895835477563;

function horner(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (const coefficient of coefficients) value = value * x + coefficient;
  return value;
}

function evaluate({ numerator, denominator }: Rational, x: number): number {
  return horner(numerator, x) / horner(denominator, x);
}

/** e^(-y²) with y² split in two, so that the rounding of y² does not spoil the exponential. */
function gaussian(y: number): number {
  const head = Math.trunc(y * 16) / 16;
  return Math.exp(-head * head) * Math.exp(-(y - head) * (y + head));
}

/** erfc(y) for y >= 0.46875. */
function tail(y: number): number {
  if (y <= 4) return gaussian(y) * evaluate(middle, y);
  const z = 1 / (y * y);
  return (gaussian(y) * (inverseSqrtPi - z * evaluate(large, z))) / y;
}

/** `erfc(x) = 1 - 2/√π ∫₀ˣ e^(-t²) dt`. */
export function erfc(x: number): number {
  const y = Math.abs(x);
  if (y <= 0.46875) return 1 - x * evaluate(small, x * x);
  if (y > 27) return x > 0 ? 0 : 2; // below the smallest float64
  return x > 0 ? tail(y) : 2 - tail(y);
}

/** `Φ(x)`, the normal distribution function; keeps its relative accuracy for large negative x. */
export function normalDistribution(x: number): number {
  return erfc(-x * Math.SQRT1_2) / 2;
}

/** `φ(x) = e^(-x²/2)/√(2π)`, the derivative of Φ. */
export function normalDensity(x: number): number {
  return Math.exp((-x * x) / 2) * inverseSqrtPi * Math.SQRT1_2;
}
