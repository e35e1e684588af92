/** A corridor: the node keeps it as an area with two corners for each place of its centre line; this finds the line again. */
import { lonStep, type Pair } from './geometry'

const EARTH_M = 6_371_008.8
/** Corners nearer than this (degrees) are one. */
const SAME_DEG = 2e-7
const rad = (deg: number) => (deg * Math.PI) / 180

/** The centre line of corners as `corridor.py` makes them; null: these are none of a corridor. */
export function centreOf(corners: readonly Pair[], corridor_m: number): Pair[] | null {
  const count = corners.length / 2
  if (!Number.isInteger(count) || count < 2 || !(corridor_m > 0)) return null
  const left = corners.slice(0, count)
  const right = corners.slice(count).reverse()
  const line: Pair[] = []
  for (let i = 0; i < count; i++) {
    const [inner, outer] = i + 1 < count ? (same(right[i], right[i + 1]) ? [right[i], left] : same(left[i], left[i + 1]) ? [left[i], right] : [null, left]) : [null, left]
    if (inner) {
      line.push(bevelled(outer[i], outer[i + 1], inner, corridor_m / 2))
      i++
    } else line.push(middle(left[i], right[i]))
  }
  return line
}

function same(a: Pair, b: Pair): boolean {
  return Math.abs(a[0] - b[0]) < SAME_DEG && Math.abs(lonStep(a[1], b[1])) < SAME_DEG
}

const tidy = (lat: number, lon: number): Pair => [Math.round(lat * 1e7) / 1e7, Math.round((((((lon + 180) % 360) + 360) % 360) - 180) * 1e7) / 1e7]

function middle(a: Pair, b: Pair): Pair {
  return tidy((a[0] + b[0]) / 2, a[1] + lonStep(a[1], b[1]) / 2)
}

/** The place that has two corners outside, each half the width away, and shares one inside. */
function bevelled(a: Pair, b: Pair, inner: Pair, half_m: number): Pair {
  const at = middle(a, b)
  const narrow = Math.max(Math.cos(rad(at[0])), 1e-3)
  const from = (to: Pair): Pair => [rad(lonStep(at[1], to[1])) * EARTH_M * narrow, rad(to[0] - at[0]) * EARTH_M]
  const [east, north] = from(inner)
  const length = Math.hypot(east, north)
  const off_m = Math.sqrt(Math.max(0, half_m ** 2 - Math.hypot(...from(a)) ** 2))
  if (!(length > 0)) return at
  return tidy(at[0] + (((north / length) * off_m) / EARTH_M) * (180 / Math.PI), at[1] + (((east / length) * off_m) / (EARTH_M * narrow)) * (180 / Math.PI))
}
