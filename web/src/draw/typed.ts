/** Places that are typed instead of tapped: by their grids, to the metre, and without a mouse. */
import type { Feature } from 'geojson'
import { distance_m, ringOf, type Pair } from './geometry'
import type { PenShape, Stroke } from './pen'

/** The units in each alphabet of the page's languages: who reads `м` types it. */
const LENGTH = /^(\d+(?:[.,]\d+)?)\s*([mм]|km|км)$/iu

/** Metres of a typed length, `500 m` or `2,5 km`; null: it is none. */
export function lengthOf(text: string): number | null {
  const [, figure, unit] = LENGTH.exec(text.trim()) ?? []
  const length_m = Number(figure?.replace(',', '.')) * (/^[kк]/iu.test(unit ?? '') ? 1000 : 1)
  return length_m > 0 ? length_m : null
}

/** How many places each shape takes at least; a point and a circle take just as many. */
export const NEEDED: Record<PenShape, number> = { point: 1, circle: 2, line: 2, polygon: 3 }

/** What a shape lacks to be whole: null: nothing. `limit`: a line takes just so many places; null: as many as one likes. */
export function lackOf(shape: PenShape, have: number, limit: number | null): Lack | null {
  const need = NEEDED[shape]
  return have < need ? { need, have, exact: limit !== null || shape === 'point' || shape === 'circle' } : null
}
/** So many places are needed, exactly or at least, and so many are there. */
export interface Lack {
  need: number
  have: number
  exact: boolean
}

/** What these places are: null while more are wanted. `ended`: nothing follows; `limit` ends a line after so many. */
export function strokeOfPlaces(shape: PenShape, points: readonly Pair[], ended: boolean, limit: number | null): Stroke | null {
  const count = points.length
  if (shape === 'point') return count ? { shape, points: [points[0]], radius_m: null } : null
  if (shape === 'circle') {
    const radius_m = count > 1 ? distance_m(points[0], points[1]) : 0
    return radius_m > 0 ? { shape, points: [points[0]], radius_m } : null
  }
  const is_whole = count >= NEEDED[shape]
  return is_whole && (ended || count === limit) ? { shape, points: [...points], radius_m: null } : null
}

const CHOSEN = { affiliation: 'friend', selected: true, opacity: 1 }
/** A place with its number, of no side: it is read in the colour of words. A number that stands above it is not hidden by a handle of the pen. */
export function numbered([lat, lon]: Pair, label: string, above = false): Feature {
  return { type: 'Feature', properties: { ...CHOSEN, plain: true, label: above ? `${label}\n\u00a0` : label, angle: 0, anchor: above ? 'bottom' : 'center' }, geometry: { type: 'Point', coordinates: [lon, lat] } }
}

/** How they are shown while the rest is awaited: each with its number, and what they make so far. */
export function placesShown(shape: PenShape, points: readonly Pair[]): Feature[] {
  const corners = points.map(([lat, lon]) => [lon, lat])
  const stroke = strokeOfPlaces(shape, points, true, null)
  const numbers = points.map((at, i) => numbered(at, String(i + 1)))
  const ring = stroke?.radius_m ? ringOf(stroke.points[0], stroke.radius_m) : stroke?.shape === 'polygon' ? [...corners, corners[0]] : null
  if (!ring && corners.length < 2) return numbers
  return [{ type: 'Feature', properties: CHOSEN, geometry: ring ? { type: 'Polygon', coordinates: [ring] } : { type: 'LineString', coordinates: corners } }, ...numbers]
}
