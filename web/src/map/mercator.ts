/** Web mercator in the unit square, and the split of a double into two floats. */

const RADIAN = Math.PI / 180
/** Beyond this latitude the square ends. */
export const LATITUDE_LIMIT_DEG = 85.051129

/** 0 at 180 W, 1 at 180 E. */
export function mercatorX(lon_deg: number): number {
  return lon_deg / 360 + 0.5
}

/** 0 at the north edge, 1 at the south edge; latitudes beyond the square are clamped. */
export function mercatorY(lat_deg: number): number {
  const lat = Math.max(-LATITUDE_LIMIT_DEG, Math.min(LATITUDE_LIMIT_DEG, lat_deg))
  return 0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * RADIAN) / 2)) / (2 * Math.PI)
}

const STEPS_PER_DEG = 16
/** At every step of latitude: the value, and the slope times the step. */
const TABLE = new Float64Array(2 * (Math.ceil(2 * LATITUDE_LIMIT_DEG * STEPS_PER_DEG) + 2))
for (let i = 0; i * 2 < TABLE.length; i++) {
  const lat = (-LATITUDE_LIMIT_DEG + i / STEPS_PER_DEG) * RADIAN
  TABLE[i * 2] = 0.5 - Math.log(Math.tan(Math.PI / 4 + lat / 2)) / (2 * Math.PI)
  TABLE[i * 2 + 1] = -(RADIAN / STEPS_PER_DEG) / (2 * Math.PI * Math.cos(lat))
}

/** The same as `mercatorY` to less than a millimetre up to 80 degrees (a metre at the edge), five times as quick: for whole frames of positions. */
export function quickMercatorY(lat_deg: number): number {
  const lat = lat_deg < -LATITUDE_LIMIT_DEG ? -LATITUDE_LIMIT_DEG : lat_deg > LATITUDE_LIMIT_DEG ? LATITUDE_LIMIT_DEG : lat_deg
  const step = (lat + LATITUDE_LIMIT_DEG) * STEPS_PER_DEG
  const i = step | 0
  const t = step - i
  const a = TABLE[i * 2]
  const da = TABLE[i * 2 + 1]
  const b = TABLE[i * 2 + 2]
  const db = TABLE[i * 2 + 3]
  // Cubic Hermite between two steps, whose slopes are known.
  const c = 3 * (b - a) - 2 * da - db
  const d = 2 * (a - b) + da + db
  return a + t * (da + t * (c + t * d))
}

export function lonOfX(x: number): number {
  return (x - 0.5) * 360
}

export function latOfY(y: number): number {
  return (2 * Math.atan(Math.exp((0.5 - y) * 2 * Math.PI)) - Math.PI / 2) / RADIAN
}

/**
 * Writes (x hi, y hi, x lo, y lo) at `into[at]`.
 *
 * A float alone holds 24 bits: 2.4 m at the equator. The low part carries what the high part
 * dropped, so that a shader which subtracts the map centre part by part stays exact.
 */
export function writeSplit(into: Float32Array, at: number, x: number, y: number): void {
  // Not read back from the array: that would wait for the write.
  const x_high = Math.fround(x)
  const y_high = Math.fround(y)
  into[at] = x_high
  into[at + 1] = y_high
  into[at + 2] = x - x_high
  into[at + 3] = y - y_high
}
