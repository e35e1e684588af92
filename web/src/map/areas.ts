/** Which of the areas under a click is meant. */
import type { Geometry } from 'geojson'
import { circleArea_m2, ringArea_m2 } from '../draw/geometry'
import type { TrackStore } from '../store/tracks'
import { radiusOf } from './names'

/** Square metres of a shape; null of a point or a line. */
export function area_m2(geometry: Geometry): number | null {
  const radius_m = radiusOf(geometry)
  if (radius_m) return circleArea_m2(radius_m)
  const polygons = geometry.type === 'Polygon' ? [geometry.coordinates] : geometry.type === 'MultiPolygon' ? geometry.coordinates : null
  if (!polygons) return null
  const oneOf = ([outer, ...holes]: (typeof polygons)[number]) => holes.reduce((left, hole) => left - ringArea_m2(hole), ringArea_m2(outer ?? []))
  return polygons.reduce((sum, rings) => sum + oneOf(rings), 0)
}

/** The handle of the smallest area among these; null: none of them is an area of the picture (a watch area has no handle). */
export function smallestArea(handles: readonly unknown[], store: Pick<TrackStore, 'meta'>): number | null {
  let best: { handle: number; size_m2: number } | null = null
  for (const handle of handles) {
    const geometry = typeof handle === 'number' ? store.meta[handle]?.geometry : null
    const size_m2 = geometry ? area_m2(geometry) : null
    if (size_m2 !== null && (!best || size_m2 < best.size_m2)) best = { handle: handle as number, size_m2 }
  }
  return best?.handle ?? null
}
