// Halves: numbers of 16 bits as ordinary ones.

let table = null; // all 65,536, made when the first are asked for

/** Float32 numbers from the bits of float16 ones. */
export function halves(bits) {
  table ??= Float32Array.from({ length: 65536 }, (_, each) => half(each));
  return Float32Array.from(bits, (each) => table[each]);
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const digits = bits & 1023;
  if (exponent === 31) return digits ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 15) * (1 + digits / 1024) : 2 ** -24 * digits);
}
