/** What is written beside a symbol or on a drawing, and where on a drawing it may stand. */
import type { Geometry, Position as GeoPosition } from 'geojson'
import type { TrackMeta } from '../api/types'
import type { TrackMotion } from '../store/tracks'
import { graphicOf } from '../draw/catalogue'
import { centreOf } from '../draw/corridor'
import { bearing_deg, distance_m, ringOf, type Pair } from '../draw/geometry'
import { course, lengthText, metres } from '../geo/format'

const LABEL_LETTERS = 26

/** A name as it may be drawn: one line, no control characters, not too long. */
export function labelText(name: string): string {
  // Direction overrides could make a label read backwards.
  const clean = name.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  const letters = Array.from(clean)
  return letters.length > LABEL_LETTERS ? `${letters.slice(0, LABEL_LETTERS - 1).join('')}…` : clean
}

/** Course (true) and length of a line of range and bearing; null of everything else. */
export function bearingOf({ type, geometry }: Pick<TrackMeta, 'type' | 'geometry'>): { course_deg: number; range_m: number } | null {
  if (!type.startsWith('u-rb') || geometry?.type !== 'LineString' || geometry.coordinates.length !== 2) return null
  const [from, to] = geometry.coordinates.map(([lon, lat]): Pair => [lat, lon])
  return { course_deg: bearing_deg(from, to), range_m: distance_m(from, to) }
}

/** What stands on the map: the name, and of a bearing line its numbers. */
export function shownName(meta: TrackMeta): string {
  const name = labelText(meta.name)
  const line = bearingOf(meta)
  return line ? [name, course(line.course_deg), lengthText(line.range_m)].filter(Boolean).join(' · ') : name
}

/** Slower than this a course says nothing, m/s. */
const MOVING_MPS = 1
/** Digits 5 and 6 of the symbol code of what flies. */
const AIR = '01'
export const isAir = (sidc: string) => sidc.slice(4, 6) === AIR
const nearest = (value: number, step: number) => Math.round(value / step) * step

/** `FL104`: by the pressure of the standard atmosphere, so that nobody takes it for a height above the ground. */
export const flightLevel = (level: number) => `FL${String(Math.abs(level)).padStart(3, '0').padStart(level < 0 ? 4 : 3, '-')}`

/**
 * What a full label says beside the name, what can be left out first: of a unit the one above it, of what moves course and
 * speed, of what flies its height or flight level.
 *
 * To 5 degrees, 5 km/h and 50 m: a label that changes on every report is not read, and each text is a picture.
 *
 * @param higher name of the unit above; null: there is none, or nobody knows
 */
export function amplifiers({ name, sidc, level }: Pick<TrackMeta, 'name' | 'sidc' | 'level'>, motion: TrackMotion | null, higher: string | null): string[] {
  const parts: string[] = []
  if (higher && higher !== name) parts.push(labelText(higher))
  const { speed_mps, course_deg, alt_m } = motion ?? { speed_mps: null, course_deg: null, alt_m: null }
  if (speed_mps !== null && speed_mps >= MOVING_MPS) {
    if (course_deg !== null) parts.push(course(nearest(course_deg, 5)))
    parts.push(`${Math.max(5, nearest(speed_mps * 3.6, 5))} km/h`)
  }
  if (isAir(sidc)) {
    if (alt_m !== null) parts.push(metres(nearest(alt_m, 50)))
    else if (level !== undefined) parts.push(flightLevel(level))
  }
  return parts
}

/** Lines and areas are drawn as such, by the map's own layers; they have no point symbol. */
export function isDrawn(meta: TrackMeta): boolean {
  return Boolean(meta.geometry && (meta.geometry.type !== 'Point' || radiusOf(meta.geometry)))
}

/** Radius of a circle in metres, which GeoJSON has only as a point; null for every other shape. */
export function radiusOf(geometry: Geometry): number | null {
  return geometry.type === 'Point' && 'radius_m' in geometry && typeof geometry.radius_m === 'number' ? geometry.radius_m : null
}

/** The renderer of tactical graphics writes their names itself, at the places where the standard wants them. */
export function labelsItself(meta: TrackMeta): boolean {
  return graphicOf(meta.sidc) !== undefined
}

/** Where along a line, or round an area, a name is tried in turn. */
const SHARES = [0.5, 0.25, 0.75, 0.1, 0.9]

/** Where the name of a drawing may stand: of a bullseye at its centre, of a corridor on its line, which the middle of its corners may miss. */
export function anchorsOf({ type, geometry, drawn }: Pick<TrackMeta, 'type' | 'geometry' | 'drawn'>): [number, number][] {
  if (!geometry) return []
  if (type === 'u-r-b-bullseye' && geometry.type === 'Point') return [[geometry.coordinates[0], geometry.coordinates[1]]]
  const corners = drawn?.corridor_m && geometry.type === 'Polygon' ? geometry.coordinates[0].slice(0, -1).map(([lon, lat]): Pair => [lat, lon]) : null
  const centre = corners && centreOf(corners, Number(drawn!.corridor_m))
  return nameAnchors(centre ? { type: 'LineString', coordinates: centre.map(([lat, lon]) => [lon, lat]) } : geometry)
}

/** Places where the name of a drawing may stand, best first: on the line; inside an area first. */
export function nameAnchors(geometry: Geometry): [number, number][] {
  const radius_m = radiusOf(geometry)
  if (geometry.type === 'Point' && radius_m) return alongLine(ringOf([geometry.coordinates[1], geometry.coordinates[0]], radius_m))
  if (geometry.type === 'LineString') return alongLine(geometry.coordinates)
  if (geometry.type === 'MultiLineString') return alongLine(geometry.coordinates[0] ?? [])
  const rings = geometry.type === 'Polygon' ? geometry.coordinates : null
  const ring = geometry.type === 'MultiPolygon' ? geometry.coordinates[0]?.[0] : rings?.[0]
  if (!ring?.length) return []
  const lons = ring.map((at) => at[0])
  const lats = ring.map((at) => at[1])
  const middle: [number, number] = [
    (Math.min(...lons) + Math.max(...lons)) / 2,
    (Math.min(...lats) + Math.max(...lats)) / 2,
  ]
  return [middle, ...alongLine(ring)]
}

function alongLine(line: GeoPosition[]): [number, number][] {
  const steps = line.slice(1).map((to, i) => Math.hypot(to[0] - line[i][0], to[1] - line[i][1]))
  const length = steps.reduce((sum, step) => sum + step, 0)
  if (!(length > 0)) return []
  return SHARES.map((share) => {
    let left = length * share
    let i = 0
    while (i < steps.length - 1 && left > steps[i]) left -= steps[i++]
    const part = left / steps[i]
    return [
      line[i][0] + (line[i + 1][0] - line[i][0]) * part,
      line[i][1] + (line[i + 1][1] - line[i][1]) * part,
    ]
  })
}
