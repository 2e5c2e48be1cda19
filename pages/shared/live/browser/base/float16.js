// Float16: 16-bit numbers as float32.

let table = null; // the values of all 65,536 float16 numbers, made at the first use

/** Float32 numbers from the bits of float16 numbers. */
export function halves(bits) {
  table ??= Float32Array.from({ length: 65536 }, (_, place) => half(place));
  return Float32Array.from(bits, (place) => table[place]);
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const digits = bits & 1023;
  if (exponent === 31) return digits ? NaN : sign * Infinity;
  if (!exponent) return sign * 2 ** -24 * digits;
  return sign * 2 ** (exponent - 15) * (1 + digits / 1024);
}
