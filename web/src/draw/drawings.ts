/** Drawings as the node has them, and the requests that make and change them. */
import { call } from '../api/client'
import type { LayerRow, LayerSaid, SetLayer } from '../api.generated'
import type { EntityDetail } from '../api/types'
import type { Geometry } from 'geojson'
import { graphicOf } from './catalogue'
import { lengthText } from '../geo/format'
import { BULLSEYE } from './bullseye'
import { centreOf } from './corridor'
import type { Pair } from './geometry'
import { cssOfArgb, markOf, PLAIN, type Mark } from './marks'
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
  takes_back?: boolean
}
export interface DrawingMade {
  entity: string
  uid: string
}
export type DrawnGeometry = Geometry & { shape?: string; radius_m?: number; stroke?: string; fill?: string }
export interface DrawingRow extends EntityDetail {
  geometry?: DrawnGeometry | null
}
/** How many shapes are new, were changed, were there as the file has them, and were left out. */
export interface ImportAnswer {
  layer: string
  drawn: number
  changed: number
  same: number
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

/** How a drawn point looks; a text has a colour and no mark. */
export interface PointLook {
  mark?: Mark
  stroke: string
}
/** The look of a point or text that may be given another; null for what has a symbol of its own or is no point. */
export function pointLookOf(request: DrawingRequest | null): PointLook | null {
  if (!request || request.sidc) return null
  const stroke = request.stroke ?? PLAIN
  if (request.shape === 'text') return { stroke }
  return request.shape === 'point' ? { mark: request.mark ?? 'dot', stroke } : null
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

/** What was said of a layer as a whole. */
export const readLayers = () => call<LayerRow[]>('GET', '/layers')
export const setLayer = (change: SetLayer) => call<LayerSaid>('POST', '/layers', change)

export interface Layer {
  /** As its drawings carry it: the name that it was first drawn under. Empty: the drawings that lie on no named layer. */
  id: string
  /** What it is called now. */
  name: string
  /** Ids of who drew what lies on it. */
  owners: string[]
  /** Classification of what is drawn on it next, else of what lies on it. */
  label: string
  /** Is the label said of the layer itself? */
  marked: boolean
  /** Its place, compared letter by letter; the least lies on top. */
  order: string
  rows: DrawingRow[]
}

/** Named layers in their order, then those without a name. `said`: of layers as a whole. */
export function layersOf(rows: readonly DrawingRow[], said: readonly LayerRow[] = []): Layer[] {
  const known = new Map(said.map((one) => [one.id, one]))
  const found = new Map<string, Layer>()
  for (const row of rows) {
    const id = row.fields?.layer ?? ''
    const about = known.get(id)
    const name = about?.name ?? id
    const marking = about?.label?.classification ?? ''
    const layer = found.get(id) ?? { id, name, owners: [], label: marking, marked: Boolean(marking), order: about?.order ?? orderOfName(name), rows: [] }
    found.set(id, layer)
    layer.rows.push(row)
    if (row.source && !layer.owners.includes(row.source)) layer.owners.push(row.source)
    layer.label ||= row.label?.classification ?? ''
    // Until layers had a place of their own, each drawing said that of its layer as a number.
    const number = row.fields?.order
    if (!about?.order && number && /^\d{1,4}$/.test(number)) {
      const place = `0${Number(number).toString(16).padStart(4, '0')}8`
      if (place < layer.order) layer.order = place
    }
  }
  for (const layer of found.values()) layer.rows.sort((a, b) => a.name.localeCompare(b.name))
  return [...found.values()].sort((a, b) => Number(!a.id) - Number(!b.id) || compare(a.order, b.order) || a.name.localeCompare(b.name))
}
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** The place of a layer that nobody has moved: by its name. */
export function orderOfName(name: string): string {
  const bytes = new TextEncoder().encode(name.toLocaleLowerCase())
  return `${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')}01`
}

/** A place between two others; null: above or below all. Their texts are hexadecimal, end in no 0, and are not the same. */
export function orderBetween(above: string | null, below: string | null): string {
  let found = ''
  let bounded = below !== null
  for (let i = 0; ; i++) {
    const low = above !== null && i < above.length ? parseInt(above[i], 16) : 0
    const high = bounded && i < below!.length ? parseInt(below![i], 16) : 16
    if (high - low > 1) return found + Math.floor((low + high) / 2).toString(16)
    found += low.toString(16)
    bounded &&= high === low
  }
}

/** Where a layer goes that is moved to a place among the named ones, as the others then stand; null = it stays. */
export function orderAt(named: readonly Layer[], layer: Layer, place: number): string | null {
  const others = named.filter((one) => one.id !== layer.id)
  if (place < 0 || place > others.length || named[place]?.id === layer.id) return null
  const above = others[place - 1]?.order ?? null
  // Two that stand in one place, by chance of two nodes, have nothing between them: it goes below both.
  const below = others.slice(place).find((one) => above === null || one.order > above)?.order ?? null
  return orderBetween(above, below)
}
