/** Drawings as the node has them, and the requests that make and change them. */
import { call } from '../api/client'
import type { EntityDetail } from '../api/types'
import type { Geometry } from 'geojson'
import { graphicOf } from './catalogue'
import { away, type Pair } from './geometry'
import type { PenShape, Stroke } from './pen'

export type Shape = 'line' | 'polygon' | 'circle' | 'route' | 'bearing' | 'point' | 'text'
export interface DrawingRequest {
  shape: Shape
  name: string
  points: Pair[]
  radius_m?: number | null
  uid?: string
  stroke?: string | null
  fill?: string | null
  sidc?: string | null
  remarks?: string | null
  layer?: string | null
  order?: number | null
}
export interface DrawingMade {
  entity: string
  uid: string
}
export type DrawnGeometry = Geometry & { shape?: string; radius_m?: number; stroke?: string; fill?: string }
export interface DrawingRow extends EntityDetail {
  geometry?: DrawnGeometry | null
}
export interface ImportAnswer {
  layer: string
  drawn: number
  refused: number
  reasons: string[]
}

export const place = (drawing: DrawingRequest) => call<DrawingMade>('POST', '/drawings', drawing)
export const importFile = (format: string, layer: string, content: string) => call<ImportAnswer>('POST', '/overlays', { format, layer, content })

/** What can be drawn with one gesture. */
export const TOOLS = ['point', 'line', 'area', 'circle', 'route', 'bearing', 'text', 'rings', 'bullseye'] as const
export type Tool = (typeof TOOLS)[number]

export const PEN_OF: Record<Tool, PenShape> = {
  point: 'point', line: 'line', area: 'polygon', circle: 'circle', route: 'line', bearing: 'line', text: 'point', rings: 'circle', bullseye: 'circle',
}
const SHAPE_OF: Record<Tool, Shape> = {
  point: 'point', line: 'line', area: 'polygon', circle: 'circle', route: 'route', bearing: 'bearing', text: 'text', rings: 'circle', bullseye: 'circle',
}
const RINGS = 3

export interface Look {
  name: string
  layer: string | null
  stroke: string
}

/** The drawings of one gesture: one for most tools, several for rings and a bullseye. */
export function requestsOf(tool: Tool, stroke: Stroke, look: Look, sidc?: string): DrawingRequest[] {
  const { name, layer } = look
  const base = { name, layer, stroke: look.stroke }
  const fill = stroke.shape === 'polygon' || tool === 'circle' ? { fill: `${look.stroke}22` } : {}
  if (tool !== 'rings' && tool !== 'bullseye') {
    return [{ ...base, ...fill, shape: SHAPE_OF[tool], points: stroke.points, radius_m: stroke.radius_m, ...(sidc ? { sidc } : {}) }]
  }
  const centre = stroke.points[0]
  const radius_m = stroke.radius_m ?? 0
  const rings = Array.from({ length: RINGS }, (_, i): DrawingRequest => {
    const ring_m = (radius_m * (i + 1)) / RINGS
    return { ...base, name: `${name} ${lengthText(ring_m)}`, shape: 'circle', points: [centre], radius_m: ring_m }
  })
  if (tool === 'rings') return rings
  const spoke = (course: number): DrawingRequest => ({
    ...base, name: `${name} ${String(course).padStart(3, '0')}°`, shape: 'bearing', points: [centre, away(centre, radius_m, course)],
  })
  return [{ ...base, shape: 'point', points: [centre] }, ...rings, ...[0, 90, 180, 270].map(spoke)]
}

export function lengthText(length_m: number): string {
  return length_m < 1000 ? `${Math.round(length_m)} m` : `${(length_m / 1000).toFixed(length_m < 10_000 ? 2 : 1)} km`
}

const SHAPES: Record<string, Shape> = { 'u-rb-a': 'bearing', 'b-m-r': 'route', 'u-d-c-c': 'circle' }
const LABEL_ICON = 'COT_MAPPING_SPOTMAP/b-m-p-s-m/LABEL'

/** The request that would draw a row as it is; null for what was not drawn under a CoT uid or has no shape. */
export function requestOf(row: DrawingRow): DrawingRequest | null {
  const uid = row.aliases?.find((alias) => alias.scheme === 'cot')?.value
  const stroke = strokeOfRow(row)
  if (!uid || !stroke) return null
  const plain: Record<PenShape, Shape> = {
    point: row.fields?.iconsetpath === LABEL_ICON ? 'text' : 'point', line: 'line', polygon: 'polygon', circle: 'circle',
  }
  const named = SHAPES[row.type]
  const fits = named && (named === 'circle') === (stroke.shape === 'circle') && stroke.shape !== 'polygon' && stroke.shape !== 'point'
  const order = row.fields?.order
  return {
    shape: fits && (named !== 'bearing' || stroke.points.length === 2) ? named : plain[stroke.shape],
    name: row.name || uid.slice(0, 100),
    points: stroke.points,
    radius_m: stroke.radius_m,
    uid,
    stroke: row.geometry?.stroke ?? null,
    fill: row.geometry?.fill ?? null,
    sidc: graphicOf(row.sidc) ? row.sidc : null,
    remarks: row.remarks ?? null,
    layer: row.fields?.layer ?? null,
    order: order && /^\d{1,4}$/.test(order) ? Number(order) : null,
  }
}

/** The shape of a row as the pen takes it up. */
export function strokeOfRow({ geometry, position }: DrawingRow): Stroke | null {
  const turned = ([lon, lat]: number[]): Pair => [lat, lon]
  if (!geometry) return position ? { shape: 'point', points: [[position.lat_deg, position.lon_deg]], radius_m: null } : null
  if (geometry.type === 'Point') {
    const radius_m = geometry.radius_m ?? null
    return { shape: radius_m ? 'circle' : 'point', points: [turned(geometry.coordinates)], radius_m }
  }
  if (geometry.type === 'LineString') return { shape: 'line', points: geometry.coordinates.map(turned), radius_m: null }
  if (geometry.type === 'Polygon') return { shape: 'polygon', points: geometry.coordinates[0].slice(0, -1).map(turned), radius_m: null }
  return null
}

export interface Layer {
  /** Empty: the drawings that lie on no named layer. */
  name: string
  owners: string[]
  label: string
  order: number
  rows: DrawingRow[]
}

/** Named layers in their order, then those without a name. */
export function layersOf(rows: readonly DrawingRow[], ownerOf: (row: DrawingRow) => string): Layer[] {
  const found = new Map<string, Layer>()
  for (const row of rows) {
    const name = row.fields?.layer ?? ''
    const layer = found.get(name) ?? { name, owners: [], label: '', order: Infinity, rows: [] }
    found.set(name, layer)
    layer.rows.push(row)
    const owner = ownerOf(row)
    if (owner && !layer.owners.includes(owner)) layer.owners.push(owner)
    layer.label ||= row.label?.classification ?? ''
    const order = Number(row.fields?.order ?? NaN)
    if (order < layer.order) layer.order = order
  }
  for (const layer of found.values()) layer.rows.sort((a, b) => a.name.localeCompare(b.name))
  return [...found.values()].sort((a, b) => Number(!a.name) - Number(!b.name) || rank(a) - rank(b) || a.name.localeCompare(b.name))
}
const rank = (layer: Layer) => (Number.isFinite(layer.order) ? layer.order : 10_000)
