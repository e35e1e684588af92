/** A bullseye as lines and texts: rings, a compass and the distance of each ring. One thing, whatever it is drawn from. */
import type { Feature, Position } from 'geojson'
import type { TrackMeta } from '../api/types'
import { course, lengthText } from '../geo/format'
import { radiusOf } from '../map/names'
import { away, ringOf, type Pair } from './geometry'

export const BULLSEYE = 'u-r-b-bullseye'
const RINGS_MAX = 100
const TICK_DEG = 30
/** Room for texts: on a compass smaller than this (CSS pixels) they are left out, or only those of the four winds stay. */
const SMALL_PX = 45
const MIDDLING_PX = 110
/** Metres of a CSS pixel at zoom 0 on the equator. */
const PIXEL_M = 78_271.517

/** Its parts at a zoom; null: every text. */
export function bullseyeFeatures({ geometry, drawn = {} }: Pick<TrackMeta, 'geometry' | 'drawn'>, zoom: number | null): Feature[] | null {
  const radius_m = geometry ? radiusOf(geometry) : null
  if (geometry?.type !== 'Point' || !radius_m) return null
  const centre: Pair = [geometry.coordinates[1], geometry.coordinates[0]]
  const at = (range_m: number, course_deg: number): Position => {
    const [lat, lon] = away(centre, range_m, course_deg)
    return [lon + 360 * Math.round((centre[1] - lon) / 360), lat]
  }
  const size_px = zoom === null ? Infinity : radius_m / ((PIXEL_M * Math.cos((centre[0] * Math.PI) / 180)) / 2 ** zoom)
  const step_deg = size_px < MIDDLING_PX ? 90 : TICK_DEG
  const rings = ringsOf(drawn, radius_m)
  const courses = Array.from({ length: 360 / TICK_DEG }, (_, i) => i * TICK_DEG)
  const found = [...new Set([...rings, radius_m])].map((ring_m) => line(ringOf(centre, ring_m)))
  for (const deg of courses) found.push(line([at(deg % 90 ? radius_m * 0.94 : 0, deg), at(radius_m, deg)]))
  if (size_px < SMALL_PX) return found
  const turn = drawn.inward === 'true' ? 180 : 0
  for (const deg of courses.filter((one) => one % step_deg === 0)) found.push(text(at(radius_m * 1.07, deg), course(deg + turn)))
  if (size_px >= MIDDLING_PX) for (const ring_m of rings) found.push(text(at(ring_m, 45), lengthText(ring_m)))
  return found
}

/** Radii of the rings, from inside. */
function ringsOf(drawn: Readonly<Record<string, string>>, radius_m: number): number[] {
  const count = Math.min(RINGS_MAX, Number(drawn.rings ?? 0))
  const ring_m = Number(drawn.ring_m ?? radius_m)
  return count > 0 && ring_m > 0 ? Array.from({ length: Math.floor(count) }, (_, i) => tidy(ring_m * (i + 1))) : []
}
const tidy = (value: number) => Math.round(value * 1000) / 1000

function line(coordinates: Position[]): Feature {
  return { type: 'Feature', geometry: { type: 'LineString', coordinates }, properties: {} }
}
function text(coordinates: Position, label: string): Feature {
  return { type: 'Feature', geometry: { type: 'Point', coordinates }, properties: { label, angle: 0, anchor: 'center' } }
}
