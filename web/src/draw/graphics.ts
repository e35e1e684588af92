/** Tactical graphics as lines and labels, by mil-sym-ts. A heavy chunk of its own, loaded when the picture has one. */
import { WebRenderer } from '@armyc2.c5isr.renderer/mil-sym-ts-web'
import type { Feature, FeatureCollection } from 'geojson'
import type { TrackMeta } from '../api/types'
import { graphicOf } from './catalogue'
import { away, bearing_deg, distance_m, type Pair } from './geometry'

/** An axis is so wide, as a part of its length. */
const AXIS_WIDTH = 0.06
const ANCHORS: Record<string, string> = { left: 'left', right: 'right', center: 'center' }

/** Control points in the order that the renderer wants: an axis from its tip, and last a point for its width. */
export function controlPoints(points: Pair[], axis: boolean): Pair[] {
  if (!axis || points.length < 2) return points
  const [tip, ...rest] = [...points].reverse()
  const length_m = points.slice(1).reduce((sum, at, i) => sum + distance_m(points[i], at), 0)
  const head_m = Math.min(length_m * AXIS_WIDTH * 2, distance_m(tip, rest[0]) / 2)
  const back = away(tip, head_m, bearing_deg(tip, rest[0]))
  return [tip, ...rest, away(back, length_m * AXIS_WIDTH, bearing_deg(tip, rest[0]) + 90)]
}

/** Lines and labels of a graphic at a zoom; null where it is none, or the renderer refuses it. */
export function graphicFeatures(meta: TrackMeta, zoom: number): Feature[] | null {
  const graphic = graphicOf(meta.sidc)
  const geometry = meta.geometry
  if (!graphic || !geometry || (geometry.type !== 'LineString' && geometry.type !== 'Polygon')) return null
  const line = geometry.type === 'LineString' ? geometry.coordinates : geometry.coordinates[0].slice(0, -1)
  const points = controlPoints(line.map(([lon, lat]): Pair => [lat, lon]), graphic.axis === true)
  const lons = points.map(([, lon]) => lon)
  const lats = points.map(([lat]) => lat)
  const box = [Math.min(...lons) - 1, Math.max(-85, Math.min(...lats) - 1), Math.max(...lons) + 1, Math.min(85, Math.max(...lats) + 1)]
  const text = WebRenderer.RenderSymbol(
    meta.id, meta.id, '', meta.sidc.padEnd(30, '0'),
    points.map(([lat, lon]) => `${lon},${lat}`).join(' '),
    'clampToGround', 559_082_264 / 2 ** zoom, box.join(','),
    new Map([['T_UNIQUE_DESIGNATION_1', bare(meta.name)]]), new Map([['LINEWIDTH', '3']]),
    WebRenderer.OUTPUT_FORMAT_GEOJSON,
  )
  const answer = JSON.parse(text) as Partial<FeatureCollection> & { type: string }
  if (answer.type !== 'FeatureCollection' || !answer.features) return null
  return answer.features.flatMap((one) => partOf(one))
}

/** Without the letters that the graphic itself writes in front: `PL BLUE` is the phase line `BLUE`. */
export function bare(name: string): string {
  return name.replace(/^(PL|AA|NAI|AO|MSR|ASR|LZ|DZ|EZ|PZ|LOA|LD|LC|FLOT|FEBA)\s+/i, '')
}

function partOf({ geometry, properties }: Feature): Feature[] {
  if (geometry.type === 'MultiLineString' || geometry.type === 'LineString') return [{ type: 'Feature', geometry, properties: {} }]
  const label: unknown = properties?.label
  if (geometry.type !== 'Point' || typeof label !== 'string' || !label) return []
  const angle = Number(properties?.angle ?? 0)
  return [{ type: 'Feature', geometry, properties: { label, angle: Number.isFinite(angle) ? angle : 0, anchor: ANCHORS[String(properties?.labelAlign)] ?? 'center' } }]
}
