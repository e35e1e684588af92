/** Arithmetic of drawings: places as `[lat_deg, lon_deg]` here, as `[lon, lat]` on the map. */
import type { Position } from 'geojson'
import { mercatorX, mercatorY } from '../map/mercator'

export type Pair = [number, number]
/** A corner of an area as forms and the node write it. */
export type Corner = [lon_deg: number, lat_deg: number]
const EARTH_M = 6_371_008.8
const RING_POINTS = 72
const rad = (deg: number) => (deg * Math.PI) / 180

/** Great-circle distance in metres, on a sphere. */
export function distance_m([lat1, lon1]: Pair, [lat2, lon2]: Pair): number {
  const a = Math.sin(rad(lat2 - lat1) / 2) ** 2 + Math.cos(rad(lat1)) * Math.cos(rad(lat2)) * Math.sin(rad(lon2 - lon1) / 2) ** 2
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(a)))
}

/** Course from one place to another in degrees, true. */
export function bearing_deg([lat1, lon1]: Pair, [lat2, lon2]: Pair): number {
  const east = Math.sin(rad(lon2 - lon1)) * Math.cos(rad(lat2))
  const north = Math.cos(rad(lat1)) * Math.sin(rad(lat2)) - Math.sin(rad(lat1)) * Math.cos(rad(lat2)) * Math.cos(rad(lon2 - lon1))
  return ((Math.atan2(east, north) * 180) / Math.PI + 360) % 360
}

/** Degrees from one longitude to another, the short way. */
export const lonStep = (from: number, to: number) => ((((to - from + 180) % 360) + 360) % 360) - 180

/** The place at a distance and course from another. */
export function away([lat, lon]: Pair, range_m: number, course_deg: number): Pair {
  const turn = range_m / EARTH_M
  const lat2 = Math.asin(Math.sin(rad(lat)) * Math.cos(turn) + Math.cos(rad(lat)) * Math.sin(turn) * Math.cos(rad(course_deg)))
  const east = Math.sin(rad(course_deg)) * Math.sin(turn) * Math.cos(rad(lat))
  const lon2 = lon + (Math.atan2(east, Math.cos(turn) - Math.sin(rad(lat)) * Math.sin(lat2)) * 180) / Math.PI
  return [(lat2 * 180) / Math.PI, ((lon2 + 540) % 360) - 180]
}

/** The closed ring of a circle, `[lon, lat]`; longitudes run on over 180 so that the ring stays whole. */
export function ringOf(centre: Pair, radius_m: number): Position[] {
  const ring: Position[] = []
  for (let step = 0; step < RING_POINTS; step++) {
    const [lat, lon] = away(centre, radius_m, (-360 * step) / RING_POINTS)
    ring.push([lon + 360 * Math.round((centre[1] - lon) / 360), lat])
  }
  return [...ring, ring[0]]
}

/** Square metres inside a closed ring `[lon, lat]`, on a sphere, its edges taken as straight in longitude and latitude. */
export function ringArea_m2(ring: Position[]): number {
  const sum = ring.slice(1).reduce((total, [lon, lat], i) => {
    const [lon_before, lat_before] = ring[i]
    const turn = lon - lon_before - 360 * Math.round((lon - lon_before) / 360)
    return total + rad(turn) * (Math.sin(rad(lat)) + Math.sin(rad(lat_before)))
  }, 0)
  return (Math.abs(sum) * EARTH_M ** 2) / 2
}

/** Square metres inside a circle, on a sphere. */
export function circleArea_m2(radius_m: number): number {
  return 2 * Math.PI * EARTH_M ** 2 * (1 - Math.cos(radius_m / EARTH_M))
}

const latOf = (y: number) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI

/** Centre and radius of what was drawn as a circle on the Mercator map. */
export function circleOf(ring: Position[]): { centre: Pair; radius_m: number } {
  const xs = ring.map(([lon]) => mercatorX(lon))
  const ys = ring.map(([, lat]) => mercatorY(lat))
  const x = (Math.min(...xs) + Math.max(...xs)) / 2
  const y = (Math.min(...ys) + Math.max(...ys)) / 2
  const centre: Pair = [latOf(y), x * 360 - 180]
  return { centre, radius_m: distance_m(centre, [latOf(y), Math.max(...xs) * 360 - 180]) }
}

/** A ring that is a circle on the Mercator map itself: what the pen can take up and resize. */
export function mapRing(centre: Pair, radius_m: number): Position[] {
  const edge = away(centre, radius_m, 90)
  const [x, y] = [mercatorX(centre[1]), mercatorY(centre[0])]
  const radius = Math.abs(mercatorX(edge[1]) - x)
  const ring = Array.from({ length: 64 }, (_, step): Position => {
    const turn = (2 * Math.PI * step) / 64
    return [(x + radius * Math.cos(turn)) * 360 - 180, latOf(y - radius * Math.sin(turn))]
  })
  return [...ring, ring[0]]
}

/** Places without those that lie on the one before: what a double click sets. */
export const withoutRepeats = (points: readonly Pair[]) => points.filter((at, i) => i === 0 || Math.hypot(at[0] - points[i - 1][0], at[1] - points[i - 1][1]) > 1e-6)
