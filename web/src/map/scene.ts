/**
 * What the sprite layer draws: symbols in view, rings round what matters, labels where there is
 * room. Built anew on every beat and whenever the view leaves what was built.
 */
import type { Geometry, Position as GeoPosition } from 'geojson'
import { symbolCanvas } from '../symbols/symbol'
import { graphicOf } from '../draw/catalogue'
import { ringOf } from '../draw/geometry'
import type { TrackStore } from '../store/tracks'
import { AGE_OPACITY, ageRound } from '../time/age'
import type { TrackMeta } from '../api/types'
import type { Atlas, Cell, Picture } from './atlas'
import type { SpriteBatch } from './batch'
import { mercatorX, mercatorY, writeSplit } from './mercator'
import { Occupancy } from './occupancy'
import { PickGrid } from './pick'

const SYMBOL_SIZE = 23
const LABEL_FONT = '600 11px "Inter Variable", sans-serif'
const LABEL_HEIGHT = 16
/** More labels than this nobody reads. */
const LABEL_LIMIT = 300
const LABEL_CANDIDATES = 600
const LABEL_LETTERS = 26
/** Half of the ring's edge. */
const RING_RADIUS = 24

export interface SceneView {
  /** Mercator bounds of the screen; x may lie outside 0..1 on other world copies. */
  west: number
  north: number
  east: number
  south: number
  width_px: number
  height_px: number
  /** Parts of the screen under something else (left, top, width, height): no label goes there. */
  covered: [number, number, number, number][]
}

export interface SceneFocus {
  selected: number | null
  hovered: number | null
}

export interface SceneTheme {
  label: string
  plate: string
  accent: string
  alarm: string
  /** Text on accent and alarm. */
  on_tone: string
  /** Symbols are dimmed, for eyes that must stay used to the dark. */
  dim?: boolean
}

function rounded(
  pixel_ratio: number,
  width: number,
  height: number,
  draw: (context: CanvasRenderingContext2D) => void,
  anchor: [number, number],
): Picture {
  const canvas = document.createElement('canvas')
  canvas.width = Math.ceil(width * pixel_ratio)
  canvas.height = Math.ceil(height * pixel_ratio)
  const context = canvas.getContext('2d')!
  context.scale(pixel_ratio, pixel_ratio)
  draw(context)
  return { canvas, anchor_x: anchor[0] * pixel_ratio, anchor_y: anchor[1] * pixel_ratio }
}

function ring(pixel_ratio: number, colour: string, thick: number): Picture {
  const edge = RING_RADIUS * 2
  return rounded(
    pixel_ratio,
    edge,
    edge,
    (context) => {
      context.strokeStyle = colour
      context.lineWidth = thick
      context.beginPath()
      context.roundRect(thick / 2 + 1, thick / 2 + 1, edge - thick - 2, edge - thick - 2, 9)
      context.stroke()
    },
    [RING_RADIUS, RING_RADIUS],
  )
}

/** A name as it may be drawn: one line, no control characters, not too long. */
export function labelText(name: string): string {
  // Direction overrides could make a label read backwards.
  const clean = name.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim()
  const letters = Array.from(clean)
  return letters.length > LABEL_LETTERS ? `${letters.slice(0, LABEL_LETTERS - 1).join('')}…` : clean
}

/** Lines and areas are drawn as such, by the map's own layers; they have no point symbol. */
function isDrawn(meta: TrackMeta): boolean {
  return Boolean(meta.geometry && (meta.geometry.type !== 'Point' || radiusOf(meta.geometry)))
}

/** Radius of a circle in metres, which GeoJSON has only as a point; null for every other shape. */
export function radiusOf(geometry: Geometry): number | null {
  return geometry.type === 'Point' && 'radius_m' in geometry && typeof geometry.radius_m === 'number' ? geometry.radius_m : null
}

/** The renderer of tactical graphics writes their names itself, at the places where the standard wants them. */
function labelsItself(meta: TrackMeta): boolean {
  return graphicOf(meta.sidc) !== undefined
}

/** Where along a line, or round an area, a name is tried in turn. */
const SHARES = [0.5, 0.25, 0.75, 0.1, 0.9]

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

export class Scene {
  private readonly metaOf: (TrackMeta | undefined)[] = []
  private readonly cellOf: (Cell | undefined)[] = []
  private cells_generation = -1
  private labelled = new Set<number>()
  private readonly anchors = new WeakMap<TrackMeta, Float32Array>()
  private readonly names = new WeakMap<TrackMeta, string>()
  private readonly widths = new Map<string, number>()
  private readonly measure = document.createElement('canvas').getContext('2d')!
  private grid: PickGrid | null = null
  /** Entities that people have hidden with their layer, by id. */
  hidden: ReadonlySet<string> = new Set()
  private visible: number[] = []
  private pixel_edge = 1

  constructor(
    private readonly store: TrackStore,
    private readonly batch: SpriteBatch,
    private readonly atlas: Atlas,
    private theme: SceneTheme,
  ) {}

  setTheme(theme: SceneTheme): void {
    this.theme = theme
    this.atlas.reset()
  }

  private symbol(h: number): Cell | null {
    const meta = this.store.meta[h]
    if (!meta || isDrawn(meta) || (this.hidden.size && this.hidden.has(meta.id))) {
      this.cellOf[h] = undefined
      return null
    }
    const known = this.cellOf[h]
    if (known && this.metaOf[h] === meta) return known
    const cell = this.atlas.cell(`s|${meta.sidc}|${meta.affiliation}`, (ratio) =>
      symbolCanvas(meta.sidc, meta.affiliation, SYMBOL_SIZE, ratio, this.theme.dim),
    )
    this.metaOf[h] = meta
    this.cellOf[h] = cell
    return cell
  }

  private nameOf(meta: TrackMeta): string {
    let name = this.names.get(meta)
    if (name === undefined) this.names.set(meta, (name = labelText(meta.name)))
    return name
  }

  /** Width of a label in CSS pixels; measuring text is the dearest step, so it is remembered. */
  private widthOf(text: string): number {
    let width = this.widths.get(text)
    if (width === undefined) {
      if (this.widths.size > 5000) this.widths.clear()
      this.measure.font = LABEL_FONT
      width = Math.ceil(this.measure.measureText(text).width) + 10
      this.widths.set(text, width)
    }
    return width
  }

  /** Texts have other widths once their font has come. */
  forgetWidths(): void {
    this.widths.clear()
  }

  private label(text: string, tone: 'plain' | 'accent' | 'alarm'): Cell {
    return this.atlas.cell(`l|${tone}|${text}`, (ratio) => {
      const width = this.widthOf(text)
      return rounded(
        ratio,
        width,
        LABEL_HEIGHT,
        (context) => {
          context.fillStyle = tone === 'plain' ? this.theme.plate : this.theme[tone]
          context.beginPath()
          context.roundRect(0, 0, width, LABEL_HEIGHT, 4)
          context.fill()
          context.fillStyle = tone === 'plain' ? this.theme.label : this.theme.on_tone
          context.font = LABEL_FONT
          context.textBaseline = 'middle'
          context.fillText(text, 5, LABEL_HEIGHT / 2 + 0.5)
        },
        [0, 0],
      )
    })
  }

  /** Fills the batch for a view. */
  build(view: SceneView, focus: SceneFocus, now_ms: number): void {
    this.fill(view, focus, now_ms)
    // The picture became full half-way: cells of the first half are gone, so once more.
    if (this.cells_generation !== this.atlas.generation) this.fill(view, focus, now_ms)
  }

  private fill(view: SceneView, focus: SceneFocus, now_ms: number): void {
    const { store, batch } = this
    if (this.cells_generation !== this.atlas.generation) {
      this.cellOf.length = 0
      this.metaOf.length = 0
      this.cells_generation = this.atlas.generation
    }
    batch.clear()
    this.grid = null
    this.visible = this.cull(view)
    this.pixel_edge = (view.east - view.west) / Math.max(1, view.width_px)

    const last: number[] = []
    for (const h of this.visible) {
      const meta = store.meta[h]
      const matters = meta?.emergency || meta?.category === 'alert'
      if (matters || h === focus.selected || h === focus.hovered) {
        last.push(h)
        continue
      }
      const cell = this.symbol(h)
      if (cell) batch.push(store.mercator, h * 4, cell, AGE_OPACITY[store.age(h, now_ms)])
    }
    // What matters lies on top.
    for (const h of last) {
      const cell = this.symbol(h)
      if (!cell) continue
      if (store.meta[h]?.emergency) {
        const alarm = this.atlas.cell('r|alarm', (r) => ring(r, this.theme.alarm, 3.5))
        batch.push(store.mercator, h * 4, alarm, 1)
      }
      if (h === focus.selected) {
        const chosen = this.atlas.cell('r|chosen', (r) => ring(r, this.theme.accent, 2.5))
        batch.push(store.mercator, h * 4, chosen, 1)
      }
      // An emergency is never faded out: its age stands in its label.
      const opacity = store.meta[h]?.emergency ? 1 : AGE_OPACITY[store.age(h, now_ms)]
      batch.push(store.mercator, h * 4, cell, opacity)
    }
    this.placeLabels(view, focus, now_ms)
  }

  /** Handles within the view and half a screen round it. */
  private cull(view: SceneView): number[] {
    const { store } = this
    const margin_x = (view.east - view.west) / 2
    const margin_y = (view.south - view.north) / 2
    const west = view.west - margin_x
    const width = view.east - view.west + 2 * margin_x
    const north = view.north - margin_y
    const south = view.south + margin_y
    const found: number[] = []
    for (let h = 0; h < store.size; h++) {
      if (!store.placed[h]) continue
      const y = store.mercator[h * 4 + 1]
      if (y < north || y > south) continue
      if (width < 1) {
        const x = store.mercator[h * 4] - west
        if (x - Math.floor(x) > width) continue
      }
      found.push(h)
    }
    return found
  }

  /** The split mercator places where a drawing's name may stand. */
  private anchorsOf(meta: TrackMeta): Float32Array {
    const known = this.anchors.get(meta)
    if (known) return known
    const places = meta.geometry ? nameAnchors(meta.geometry) : []
    const split = new Float32Array(places.length * 4)
    places.forEach(([lon, lat], i) => writeSplit(split, i * 4, mercatorX(lon), mercatorY(lat)))
    this.anchors.set(meta, split)
    return split
  }

  /** Screen place of a split mercator place, on the world copy nearest to the view. */
  private screen(split: Float32Array, at: number, view: SceneView): [number, number] {
    let x = split[at] + split[at + 2]
    const middle = (view.west + view.east) / 2
    x += Math.round(middle - x)
    const y = split[at + 1] + split[at + 3]
    return [
      ((x - view.west) / (view.east - view.west)) * view.width_px,
      ((y - view.north) / (view.south - view.north)) * view.height_px,
    ]
  }

  private rank(h: number, focus: SceneFocus): number {
    const meta = this.store.meta[h]
    if (h === focus.selected || h === focus.hovered) return 0
    if (meta?.emergency) return 1
    // A label that stands keeps its place before new ones come, so labels do not flicker.
    const shown = this.labelled.has(h) ? 0 : 0.5
    const order = { alert: 2, unit: 3, platform: 4, place: 5, marker: 6 }[meta?.category ?? ''] ?? 7
    return order + shown
  }

  private placeLabels(view: SceneView, focus: SceneFocus, now_ms: number): void {
    const { store } = this
    const room = new Occupancy(view.width_px, view.height_px)
    for (const part of view.covered) room.take(...part)
    const candidates: { h: number; x: number; y: number; rank: number }[] = []
    for (const h of this.visible) {
      const cell = this.cellOf[h]
      if (!cell) continue
      const [x, y] = this.screen(store.mercator, h * 4, view)
      if (x < -40 || y < -40 || x > view.width_px + 40 || y > view.height_px + 40) continue
      // A little less than the symbol, so that its own label may touch it.
      room.take(x + cell.left + 7, y + cell.top + 7, cell.width - 14, cell.height - 14)
      if (candidates.length < LABEL_CANDIDATES || h === focus.selected || h === focus.hovered) {
        candidates.push({ h, x, y, rank: this.rank(h, focus) })
      }
    }
    candidates.sort((a, b) => a.rank - b.rank || a.h - b.h)
    const labelled = new Set<number>()
    this.nameDrawings(view, focus, room)
    for (const { h, x, y, rank } of candidates) {
      if (labelled.size >= LABEL_LIMIT) break
      const meta = store.meta[h]
      const symbol = this.cellOf[h]
      if (!meta || !symbol) continue
      const name = this.nameOf(meta)
      if (!name) continue
      // One emergency, one red label: that of the caller.
      if (h !== focus.selected && h !== focus.hovered && store.callerOf(h) !== null) continue
      const age = store.age(h, now_ms)
      const text = age === 'fresh' ? name : `${name} · ${ageRound(now_ms - store.observed_ms[h])}`
      const tone = meta.emergency ? 'alarm' : h === focus.selected ? 'accent' : 'plain'
      // Measured before it is drawn: a label that finds no room costs no place in the picture.
      const width = this.widthOf(text)
      const ringed = meta.emergency || h === focus.selected
      const below = ringed ? RING_RADIUS + 1 : symbol.top + symbol.height - 3
      const above = (ringed ? -RING_RADIUS - 1 : symbol.top + 3) - LABEL_HEIGHT
      const right = ringed ? RING_RADIUS + 2 : symbol.left + symbol.width - 2
      const left = (ringed ? -RING_RADIUS - 2 : symbol.left + 2) - width
      const spots: [number, number][] = [
        [-width / 2, below],
        [right, -LABEL_HEIGHT / 2],
        [left, -LABEL_HEIGHT / 2],
        [-width / 2, above],
      ]
      let spot = spots.find(([dx, dy]) => room.free(x + dx, y + dy, width, LABEL_HEIGHT))
      if (!spot && rank <= 1) spot = spots[0]
      if (!spot) continue
      room.take(x + spot[0] - 2, y + spot[1] - 1, width + 4, LABEL_HEIGHT + 2)
      const cell = this.label(text, tone)
      this.batch.push(
        store.mercator,
        h * 4,
        cell,
        age === 'stale' && tone === 'plain' ? 0.75 : 1,
        Math.round(spot[0]),
        Math.round(spot[1]),
      )
      labelled.add(h)
    }
    this.labelled = labelled
  }

  private nameDrawings(view: SceneView, focus: SceneFocus, room: Occupancy): void {
    this.store.meta.forEach((meta, h) => {
      if (!meta || !isDrawn(meta) || this.hidden.has(meta.id) || labelsItself(meta)) return
      const split = this.anchorsOf(meta)
      const name = this.nameOf(meta)
      if (!name) return
      const cell = this.label(name, h === focus.selected ? 'accent' : 'plain')
      for (let at = 0; at < split.length; at += 4) {
        const [x, y] = this.screen(split, at, view)
        const [left, top] = [x - cell.width / 2, y - cell.height / 2]
        // Off the screen counts as taken; a name that hides a symbol is not worth it.
        if (!room.free(left, top, cell.width, cell.height)) continue
        room.take(left - 2, top - 1, cell.width + 4, cell.height + 2)
        this.batch.push(split, at, cell, 0.85, -cell.width / 2, -cell.height / 2)
        return
      }
    })
  }

  /** The handle nearest to a place, within `radius_px`. */
  pick(x: number, y: number, radius_px: number): number | null {
    const { store } = this
    const at = (h: number): [number, number] => [
      store.mercator[h * 4] + store.mercator[h * 4 + 2],
      store.mercator[h * 4 + 1] + store.mercator[h * 4 + 3],
    ]
    if (!this.grid) {
      // Built at the first question after a change: most beats are never asked.
      this.grid = new PickGrid(this.pixel_edge * 48)
      for (const h of this.visible) if (this.cellOf[h]) this.grid.add(h, ...at(h))
    }
    return this.grid.nearest(x - Math.floor(x), y, radius_px * this.pixel_edge, at)
  }
}
