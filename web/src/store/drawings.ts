/** Drawings of the picture as one GeoJSON collection for the map. */
import type { Feature, FeatureCollection, Geometry } from 'geojson'
import type { TrackMeta } from '../api/types'
import { BULLSEYE, bullseyeFeatures } from '../draw/bullseye'
import { ringOf } from '../draw/geometry'
import { radiusOf } from '../map/names'
import { AGE_OPACITY } from '../time/age'
import type { TrackStore } from './tracks'

/** How people want drawings to be shown, by entity id; all of it may be left out. */
export interface DrawingLook {
  hidden?: ReadonlySet<string>
  opacity?: ReadonlyMap<string, number>
  /** Later ones lie on top. */
  order?: ReadonlyMap<string, number>
  /** Shapes that are no drawings; they lie below them. */
  areas?: readonly Feature[]
  /** Lines and labels of a tactical graphic; null where it is drawn as a plain shape. */
  graphic?(meta: TrackMeta): Feature[] | null
  /** Of the map that shows them; absent: texts stand whatever their room. */
  zoom?(): number
}

const COLOUR = /^#[0-9a-f]{6}([0-9a-f]{2})?$/i

/** Colours as the map takes them, the fill's transparency apart; what is no colour is left out. */
function colours(geometry: Geometry & { stroke?: unknown; fill?: unknown }): Record<string, string | number | boolean> {
  const found: Record<string, string | number | boolean> = {}
  const { stroke, fill } = geometry
  if (typeof stroke === 'string' && COLOUR.test(stroke)) Object.assign(found, { stroke: stroke.slice(0, 7), on_dark: onDark(stroke), pale: isPale(stroke) })
  if (typeof fill === 'string' && COLOUR.test(fill)) {
    found.fill = fill.slice(0, 7)
    found.fill_opacity = fill.length === 9 ? parseInt(fill.slice(7), 16) / 255 : 0.25
  }
  return found
}

/** Luma (ITU-R BT.601, 0 to 255) from which a colour is lost on light ground. */
const PALE_LUMA = 150

const partsOfColour = (colour: string) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16))
const lumaOf = ([red, green, blue]: readonly number[]) => 0.299 * red + 0.587 * green + 0.114 * blue
const isPale = (colour: string) => lumaOf(partsOfColour(colour)) >= PALE_LUMA

/** Luma below which a colour is lost on dark ground: pure blue has 29. */
const DEEP_LUMA = 120

/** The same colour with as much white as dark ground asks for. */
function onDark(colour: string): string {
  const parts = partsOfColour(colour)
  const luma = lumaOf(parts)
  const white = luma < DEEP_LUMA ? (DEEP_LUMA - luma) / (255 - luma) : 0
  return `#${parts.map((part) => Math.round(part + (255 - part) * white).toString(16).padStart(2, '0')).join('')}`
}

/** Ids of what a map does not show: hidden layers, sources of fused tracks, and what a filter leaves out (null: no filter). */
export function hiddenIds(look: DrawingLook, left_out: ReadonlySet<string> | null): ReadonlySet<string> {
  return new Set([...(look.hidden ?? []), ...(left_out ?? [])])
}

/** A circle as the ring that the map can draw; other shapes as they are. */
function drawable(geometry: Geometry): Geometry | null {
  const radius_m = radiusOf(geometry)
  if (geometry.type !== 'Point') return geometry
  if (!radius_m) return null
  return { type: 'Polygon', coordinates: [ringOf([geometry.coordinates[1], geometry.coordinates[0]], radius_m)] }
}

function partsOf(meta: TrackMeta, geometry: Geometry, look: DrawingLook): Pick<Feature, 'geometry' | 'properties'>[] {
  const whole = { geometry, properties: {} }
  if (meta.type === BULLSEYE) return bullseyeFeatures(meta, look.zoom?.() ?? null) ?? [whole]
  const graphic = look.graphic?.(meta)
  if (!graphic) return [whole]
  // A graphic is lines only: what lies inside is not seen, and takes the click.
  return geometry.type === 'Polygon' ? [{ geometry, properties: { inside: true, fill_opacity: 0 } }, ...graphic] : graphic
}

export function drawingsOf(
  store: TrackStore,
  selected: number | null,
  now_ms: number,
  look: DrawingLook = {},
): FeatureCollection {
  const features: { order: number; feature: Feature }[] = []
  store.meta.forEach((meta, h) => {
    if (!meta?.geometry || look.hidden?.has(meta.id)) return
    const geometry = drawable(meta.geometry)
    if (!geometry) return
    const properties = {
      h,
      name: meta.name,
      affiliation: meta.affiliation,
      selected: h === selected,
      opacity: AGE_OPACITY[store.age(h, now_ms)] * (look.opacity?.get(meta.id) ?? 1),
      ...colours(meta.geometry),
    }
    const order = look.order?.get(meta.id) ?? 0
    const parts = partsOf(meta, geometry, look)
    for (const part of parts) {
      features.push({ order, feature: { type: 'Feature', geometry: part.geometry, properties: { ...properties, ...part.properties } } })
    }
  })
  features.sort((a, b) => a.order - b.order)
  return { type: 'FeatureCollection', features: [...(look.areas ?? []), ...features.map(({ feature }) => feature)] }
}
