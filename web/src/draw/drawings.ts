/** Drawings as the node has them, and the requests that make and change them. */
import { call } from '../api/client'
import type { EntityDetail } from '../api/types'
import type { Geometry } from 'geojson'
import { graphicOf } from './catalogue'
import { lengthText } from '../geo/format'
import { BULLSEYE } from './bullseye'
import { centreOf } from './corridor'
import type { Pair } from './geometry'
import { cssOfArgb, markOf, type Mark } from './marks'
import type { PenShape, Stroke } from './pen'

export type Shape = 'line' | 'polygon' | 'corridor' | 'circle' | 'bullseye' | 'route' | 'bearing' | 'point' | 'text'
export interface DrawingRequest {
  shape: Shape
  name: string
  points: Pair[]
  radius_m?: number | null
  /** The whole width of a corridor, whose points are its centre line. */
  corridor_m?: number | null
  rings?: number | null
  ring_m?: number | null
  bearing_ref?: 'T' | 'M' | 'G' | null
  inward?: boolean
  mark?: Mark | null
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
export const TOOLS = ['point', 'line', 'area', 'corridor', 'circle', 'route', 'bearing', 'text', 'rings', 'bullseye'] as const
export type Tool = (typeof TOOLS)[number]

export const PEN_OF: Record<Tool, PenShape> = {
  point: 'point', line: 'line', area: 'polygon', corridor: 'line', circle: 'circle', route: 'line', bearing: 'line', text: 'point', rings: 'circle', bullseye: 'circle',
}
const SHAPE_OF: Record<Tool, Shape> = {
  point: 'point', line: 'line', area: 'polygon', corridor: 'corridor', circle: 'circle', route: 'route', bearing: 'bearing', text: 'text', rings: 'circle', bullseye: 'bullseye',
}
const RINGS = 3

export interface Look {
  name: string
  layer: string | null
  stroke: string
  mark?: Mark
  corridor_m?: number
}

/** The drawings of one gesture: one for most tools, several for range rings. */
export function requestsOf(tool: Tool, stroke: Stroke, look: Look, sidc?: string): DrawingRequest[] {
  const { name, layer } = look
  const base = { name, layer, stroke: look.stroke }
  const fill = stroke.shape === 'polygon' || tool === 'circle' || tool === 'corridor' ? { fill: `${look.stroke}22` } : {}
  if (tool !== 'rings') {
    const own = tool === 'corridor' ? { corridor_m: look.corridor_m } : tool === 'bullseye' ? { rings: RINGS } : tool === 'point' && !sidc ? { mark: look.mark } : {}
    return [{ ...base, ...fill, ...own, shape: SHAPE_OF[tool], points: stroke.points, radius_m: stroke.radius_m, ...(sidc ? { sidc } : {}) }]
  }
  const centre = stroke.points[0]
  const radius_m = stroke.radius_m ?? 0
  return Array.from({ length: RINGS }, (_, i): DrawingRequest => {
    const ring_m = (radius_m * (i + 1)) / RINGS
    return { ...base, name: `${name} ${lengthText(ring_m)}`, shape: 'circle', points: [centre], radius_m: ring_m }
  })
}

const SHAPES: Record<string, Shape> = { 'u-rb-a': 'bearing', 'b-m-r': 'route', 'u-d-c-c': 'circle', [BULLSEYE]: 'bullseye' }

/** The request that would draw a row as it is; null for what was not drawn under a CoT uid or has no shape. */
export function requestOf(row: DrawingRow): DrawingRequest | null {
  const uid = row.aliases?.find((alias) => alias.scheme === 'cot')?.value
  const stroke = strokeOfRow(row)
  if (!uid || !stroke) return null
  const plain: Record<PenShape, Shape> = { point: 'point', line: 'line', polygon: 'polygon', circle: 'circle' }
  const named = SHAPES[row.type]
  const fits = named && (named === 'circle' || named === 'bullseye') === (stroke.shape === 'circle') && stroke.shape !== 'polygon' && stroke.shape !== 'point'
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
    ...lookOf(row),
  }
}

/** A row as every map can draw it: a corridor as the area of its corners, a bullseye as its circle. */
export function plainOf(row: DrawingRow): DrawingRequest | null {
  const request = requestOf(row)
  if (request?.shape === 'bullseye') return { ...request, shape: 'circle' }
  const stroke = request?.shape === 'corridor' ? strokeOfRow(row) : null
  return request && stroke ? { ...request, shape: 'polygon', points: stroke.points } : request
}

/** What a shape alone does not say: a point's mark and colour, a corridor's line and width, a bullseye's rings. */
function lookOf(row: DrawingRow): Partial<DrawingRequest> {
  const fields = row.fields ?? {}
  if (!row.geometry) {
    const look = markOf(fields, row.sidc)
    const own = look?.mark === 'text' ? { shape: 'text' as const } : look ? { mark: look.mark } : {}
    return { ...own, stroke: cssOfArgb(fields.color) }
  }
  const centre = centreOfRow(row)
  if (centre) return { shape: 'corridor', points: centre, corridor_m: Number(fields.corridor_m) }
  if (row.type !== BULLSEYE || !row.geometry.radius_m) return {}
  const ref = fields.bearing_ref
  return {
    rings: Number(fields.rings ?? 0),
    ring_m: fields.ring_m ? Number(fields.ring_m) : null,
    bearing_ref: ref === 'M' || ref === 'G' ? ref : 'T',
    inward: fields.inward === 'true',
  }
}

/** The centre line of a corridor; null of everything else. */
function centreOfRow({ geometry, fields }: DrawingRow): Pair[] | null {
  if (!fields?.corridor_m || geometry?.type !== 'Polygon') return null
  return centreOf(geometry.coordinates[0].slice(0, -1).map(([lon, lat]): Pair => [lat, lon]), Number(fields.corridor_m))
}

/** The shape of a row as the pen takes it up: of a corridor its centre line. */
export function penStrokeOf(row: DrawingRow): Stroke | null {
  const centre = centreOfRow(row)
  return centre ? { shape: 'line', points: centre, radius_m: null } : strokeOfRow(row)
}

/** The shape of a row. */
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
