/** What is being drawn, which layers there are and how they are shown. One for each desk; panel and map share it. */
import type { Feature } from 'geojson'
import { computed, ref, shallowRef } from 'vue'
import type { LayerRow, SetLayer } from '../api.generated'
import { api, ApiError } from '../api/client'
import type { MapAdapter } from '../map/port'
import type { Step } from '../shell/undo'
import type { Desk } from '../store/desk'
import type { DrawingLook } from '../store/drawings'
import { BASE_PARTS, type BasePart } from './base'
import { cornersOf, withCorner } from './corners'
import { graphicOf, sidcOf, type Graphic } from './catalogue'
import {
  layersOf, PEN_OF, penStrokeOf, place, pointLookOf, readLayers, requestOf, requestsOf, setLayer, type DrawingRequest, type DrawingRow, type Layer, type Look, type PointLook, type Tool,
} from './drawings'
import { CORRIDOR_M_MAX, KEPT, KEPT_CORRIDOR, readCorridor_m, readKept, type KeptLayers } from './kept'
import { fusedTracks, membersOf } from './members'
import { withoutRepeats, type Pair } from './geometry'
import type { Pen, PenShape, Stroke } from './pen'
import { nearestPlace } from './snap'
import { lackOf, numbered, placesShown, strokeOfPlaces, type Lack } from './typed'
import { perDesk } from '../store/perDesk'

export interface Task {
  tool: Tool
  graphic?: Graphic
  /** Who wants the stroke for itself; absent: it becomes a drawing, with a name and a layer. */
  take?: (stroke: Stroke) => void
}
type Did = (step: Step) => void

const SNAPS_MAX = 4000

export class DrawSession {
  /** What the pen draws now. */
  readonly task = shallowRef<Task | null>(null)
  /** What was drawn and waits for its name. */
  readonly stroke = shallowRef<Stroke | null>(null)
  /** Places that were typed for it, and those that were tapped before and since. */
  readonly typed = shallowRef<readonly Pair[]>([])
  /** What was lacking when somebody ended the shape; null: nothing, or places came since. */
  readonly lack = shallowRef<Lack | null>(null)
  /** The drawing whose vertices are being moved. */
  readonly editing = shallowRef<DrawingRow | null>(null)
  /** Which of its corners the keys move, counted from 0, and where that is; null: nothing is edited. */
  readonly corner = shallowRef<{ index: number; count: number; at: Pair } | null>(null)
  readonly layer = ref('')
  /** Width of the corridor that is drawn or edited, metres. */
  readonly corridor_m = ref(readCorridor_m(localStorage.getItem(KEPT_CORRIDOR)))
  readonly rows = shallowRef<DrawingRow[]>([])
  /** What was said of layers as a whole. */
  readonly said = shallowRef<LayerRow[]>([])
  readonly layers = computed<Layer[]>(() => layersOf(this.rows.value, this.said.value))
  private readonly kept = readKept(localStorage.getItem(KEPT))
  readonly hidden = shallowRef<ReadonlySet<string>>(new Set(this.kept.hidden))
  readonly opacity = shallowRef<ReadonlyMap<string, number>>(new Map(this.kept.opacity))
  readonly base_hidden = shallowRef<ReadonlySet<BasePart>>(new Set(this.kept.base_hidden))
  /** Shapes that are no drawings, laid below them: areas of watches. */
  readonly areas = shallowRef<readonly Feature[]>([])
  /** More of them: routes and areas of patterns, while their rules are looked at. */
  readonly rules = shallowRef<readonly Feature[]>([])
  /** The renderer of tactical graphics, once it was needed and came. */
  private readonly renderer = shallowRef<typeof import('./graphics') | null>(null)
  private renderer_asked = false
  private map: MapAdapter | null = null
  private pen: Pen | null = null
  /** The pen lies on the map: what is tapped now is drawn. */
  readonly ready = ref(false)
  private readonly rendered = new Map<string, { meta: object; zoom: number; features: ReturnType<NonNullable<DrawingLook['graphic']>> }>()

  constructor(private readonly desk: Desk) {
    // What is hidden must be known before the first picture: a layer's name stands in its rows only.
    if (this.hidden.value.size || this.opacity.value.size) void this.readRows()
  }

  private keep(): void {
    const kept: KeptLayers = { hidden: [...this.hidden.value], opacity: [...this.opacity.value], base_hidden: [...this.base_hidden.value] }
    localStorage.setItem(KEPT, JSON.stringify(kept))
  }

  attach(map: MapAdapter | null): void {
    this.map = map
    if (map) for (const part of this.base_hidden.value) map.setBase(BASE_PARTS[part], false)
  }

  async readRows(): Promise<void> {
    try {
      const [rows, said] = await Promise.all([api.entities('drawing'), readLayers()])
      this.said.value = said
      this.rows.value = rows as DrawingRow[]
    } catch (error) {
      // The list stands as it was; the next change asks again.
      if (!(error instanceof ApiError)) throw error
    }
  }

  private readonly fused_tracks = computed(() => {
    void this.desk.meta_version.value
    return fusedTracks(this.desk.tracks)
  })
  /** Members of fused tracks: the track stands for them on the map. The same set while nothing of it changes. */
  private readonly fused = computed<ReadonlySet<string>>((before) => {
    const now = membersOf(this.desk.tracks, this.desk.now_ms.value, this.fused_tracks.value)
    return before && before.size === now.size && [...now].every((id) => before.has(id)) ? before : now
  })

  /** Ids of what has no place on the map, whoever is selected. */
  private readonly left_out = computed<ReadonlySet<string>>(() => {
    const hidden = this.layers.value.filter((layer) => this.hidden.value.has(layer.id))
    return new Set([...this.fused.value, ...hidden.flatMap((layer) => layer.rows.map(({ id }) => id))])
  })
  /** The selected one where it is among them: what somebody looks at is shown. */
  private readonly brought = computed(() => {
    const id = this.desk.selected.value
    return id !== null && this.left_out.value.has(id) ? id : null
  })

  /** How the map shows drawings: reads everything reactive, so that a watcher sees each change. */
  readonly look = computed<DrawingLook>(() => {
    const hidden = new Set(this.left_out.value)
    if (this.brought.value) hidden.delete(this.brought.value)
    const opacity = new Map<string, number>()
    const order = new Map<string, number>()
    this.layers.value.forEach((layer, i) => {
      const share = this.opacity.value.get(layer.id)
      for (const { id } of layer.rows) {
        // The layer at the top of the list lies on top.
        order.set(id, -i)
        if (share !== undefined) opacity.set(id, share)
      }
    })
    if (this.editing.value) hidden.add(this.editing.value.id)
    const renderer = this.renderer.value
    return { hidden, opacity, order, areas: [...this.areas.value, ...this.rules.value, ...this.typedShown()], graphic: (meta) => this.graphic(meta, renderer), zoom: () => this.map?.zoom() ?? 8 }
  })

  private graphic: (meta: Parameters<NonNullable<DrawingLook['graphic']>>[0], renderer: typeof import('./graphics') | null) => ReturnType<NonNullable<DrawingLook['graphic']>> = (meta, renderer) => {
    if (!graphicOf(meta.sidc)) return null
    if (!renderer) {
      void this.loadRenderer()
      return null
    }
    const zoom = Math.round((this.map?.zoom() ?? 8) * 2) / 2
    const known = this.rendered.get(meta.id)
    if (known?.meta === meta && known.zoom === zoom) return known.features
    const features = renderer.graphicFeatures(meta, zoom)
    this.rendered.set(meta.id, { meta, zoom, features })
    return features
  }

  private async loadRenderer(): Promise<void> {
    if (this.renderer_asked) return
    this.renderer_asked = true
    this.renderer.value = await import('./graphics')
  }

  /** Takes up the pen for a tool or a tactical graphic. */
  async begin(task: Task): Promise<void> {
    this.cancel()
    if (!this.map || this.desk.past.value) return
    this.task.value = task
    this.corridor_m.value = readCorridor_m(localStorage.getItem(KEPT_CORRIDOR))
    const pen = await this.map.takePen(() => this.snaps())
    if (this.task.value !== task) return
    this.pen = pen
    pen.start(penShapeOf(task), limitOf(task), { done: (stroke) => this.struck(task, stroke), ended: () => this.finish(), changed: () => this.lookAgain() })
    this.ready.value = true
  }

  private drawn(task: Task, stroke: Stroke): void {
    if (!task.take) {
      this.stroke.value = stroke
      return
    }
    // The pen is still telling of its stroke: it is laid down when that is over.
    setTimeout(() => {
      if (this.task.value === task) this.cancel()
      task.take?.(stroke)
    })
  }

  /** Ends the shape, or says what it lacks. */
  finish(): void {
    const task = this.task.value
    if (!task) return
    this.lack.value = lackOf(penShapeOf(task), this.places().length, limitOf(task))
    if (this.lack.value) return
    if (this.typed.value.length) this.settle(true)
    else this.pen?.finish()
  }

  /** The places that are set so far. */
  private places(): readonly Pair[] {
    const task = this.task.value
    if (!task || this.typed.value.length) return this.typed.value
    return this.pen?.soFar(penShapeOf(task)) ?? []
  }

  private lookAgain(): void {
    if (this.lack.value && this.places().length !== this.lack.value.have) this.lack.value = null
  }

  /** What the pen drew. A double click ends a line on its first place: that place is kept, and the line goes on. */
  private struck(task: Task, stroke: Stroke): void {
    const points = withoutRepeats(stroke.points)
    const lack = stroke.shape === 'line' ? lackOf('line', points.length, limitOf(task)) : null
    if (!lack) return this.drawn(task, { ...stroke, points })
    setTimeout(() => {
      if (this.task.value !== task) return
      this.typed.value = points
      this.dropPen()
      this.lack.value = lack
    })
  }

  /** From now on taps come here. */
  private dropPen(): void {
    this.pen = null
    this.map?.layPen()
  }

  /** Takes a typed place, null: the middle of the map. The pen is laid down: from now on taps come here, too. */
  take(at: Pair | null): void {
    const { map } = this
    const task = this.task.value
    if (!task || !map || this.stroke.value) return
    const centre = map.centre()
    const place: Pair = at ?? [centre.lat_deg, centre.lon_deg]
    this.typed.value = [...this.places(), place]
    this.lack.value = null
    this.dropPen()
    this.bringIn(place)
    this.settle(false)
  }

  /** Takes a tapped place after typed ones: close to a corner that is there it means that corner. What is typed is meant as it is. */
  tap(at: Pair): void {
    const { map } = this
    if (!map) return
    const spotOf = ([lon_deg, lat_deg]: [number, number]) => {
      const { x_px, y_px } = map.project({ lat_deg, lon_deg })
      return { x: x_px, y: y_px }
    }
    const near = nearestPlace(spotOf([at[1], at[0]]), this.snaps(), spotOf)
    this.take(near ? [near[1], near[0]] : at)
  }

  /** The last typed place was none. */
  takeBack(): void {
    if (this.typed.value.length > 1) this.typed.value = this.typed.value.slice(0, -1)
    this.lack.value = null
  }

  private settle(ended: boolean): void {
    const task = this.task.value
    const stroke = task && strokeOfPlaces(penShapeOf(task), this.typed.value, ended, limitOf(task))
    if (stroke) this.drawn(task, stroke)
  }

  private typedShown(): Feature[] {
    const corner = this.corner.value
    if (corner) return [numbered(corner.at, String(corner.index + 1), true)]
    return this.task.value ? placesShown(penShapeOf(this.task.value), this.typed.value) : []
  }

  /** Esc: true when there was something to cancel. */
  cancel(): boolean {
    const was = this.task.value !== null || this.editing.value !== null
    this.task.value = null
    this.stroke.value = null
    this.typed.value = []
    this.lack.value = null
    this.editing.value = null
    this.corner.value = null
    this.pen = null
    this.ready.value = false
    if (was) this.map?.layPen()
    return was
  }

  private snaps(): [number, number][] {
    const found: [number, number][] = []
    const hidden = this.look.value.hidden
    for (const meta of this.desk.tracks.meta) {
      if (!meta?.geometry || found.length > SNAPS_MAX || hidden?.has(meta.id)) continue
      const { geometry } = meta
      const lines = geometry.type === 'LineString' ? [geometry.coordinates] : geometry.type === 'Polygon' ? geometry.coordinates : geometry.type === 'Point' ? [[geometry.coordinates]] : []
      for (const line of lines) for (const [lon, lat] of line) found.push([lon, lat])
    }
    return found
  }

  /** Saves what was drawn; answers whether it worked. */
  async save(look: Look, did: Did): Promise<boolean> {
    const [task, stroke] = [this.task.value, this.stroke.value]
    if (!task || !stroke) return false
    if (task.tool === 'corridor' && !this.keepsCorridor()) return false
    const sidc = task.graphic ? sidcOf(task.graphic.code) : undefined
    const requests = requestsOf(toolOf(task), stroke, look, sidc)
    const made: DrawingRequest[] = []
    const ids: string[] = []
    const worked = await this.desk.attempt(async () => {
      for (const request of requests) {
        const { uid, entity } = await place(request)
        made.push({ ...request, uid })
        ids.push(entity)
      }
    })
    if (ids.length) did(this.step('draw.did.drawn', look.name, () => remove(ids), () => putBack(made)))
    if (worked) this.cancel()
    return worked
  }

  /** Mark and colour of the point that is taken up, as they are to be; null: what is taken up is no such point. */
  readonly look_edited = ref<PointLook | null>(null)

  /** The same by its id: the rows are read where the panel of layers was not opened yet. */
  async editById(id: string): Promise<void> {
    if (!this.rows.value.some((row) => row.id === id)) await this.readRows()
    const row = this.rows.value.find((one) => one.id === id)
    if (row) await this.edit(row)
  }

  /** Takes up a drawing to move its vertices. */
  async edit(row: DrawingRow): Promise<void> {
    this.cancel()
    const stroke = penStrokeOf(row)
    if (!this.map || !stroke || this.desk.past.value) return
    this.editing.value = row
    const width_m = requestOf(row)?.corridor_m
    if (width_m) this.corridor_m.value = width_m
    this.look_edited.value = pointLookOf(requestOf(row))
    const pen = await this.map.takePen(() => this.snaps())
    if (this.editing.value !== row) return
    this.pen = pen
    if (!pen.edit(stroke, () => this.takeCorner(0))) return void this.cancel()
    this.ready.value = true
    this.takeCorner(0)
  }

  /** Takes the corner so many after the one that the keys move now, before it when less than 0; after the last comes the first. */
  takeCorner(steps: number): void {
    const corners = this.cornersNow()
    if (!corners) return
    const count = corners.length
    const index = ((((this.corner.value?.index ?? 0) + steps) % count) + count) % count
    this.corner.value = { index, count, at: corners[index] }
  }

  /** Moves the corner on the screen, so many CSS pixels to the right and down. */
  nudge(right_px: number, down_px: number): void {
    const corners = this.cornersNow()
    if (!corners || !this.map || !this.corner.value) return
    // A mouse may have moved it since.
    const [lat_deg, lon_deg] = corners[this.corner.value.index] ?? corners[0]
    const from = this.map.project({ lat_deg, lon_deg })
    const to = this.map.unproject(from.x_px + right_px, from.y_px + down_px)
    this.putCorner([to.lat_deg, to.lon_deg])
  }

  /** Puts the corner at a place, which then lies on the screen. */
  putCorner(at: Pair): void {
    const stroke = this.strokeEdited()
    if (!stroke || !this.pen || !this.corner.value) return
    this.pen.reshape(withCorner(stroke, this.corner.value.index, at))
    this.takeCorner(0)
    this.bringIn(at)
  }

  private strokeEdited(): Stroke | null {
    const row = this.editing.value
    return (row && this.pen?.edited(penStrokeOf(row)!.shape)) ?? null
  }
  private cornersNow(): Pair[] | null {
    const stroke = this.strokeEdited()
    return stroke && cornersOf(stroke)
  }
  private bringIn([lat_deg, lon_deg]: Pair): void {
    const [west, south, east, north] = this.map!.bounds()
    if (lat_deg < south || lat_deg > north || lon_deg < west || lon_deg > east) this.map!.flyTo({ lat_deg, lon_deg })
  }

  async saveEdit(did: Did): Promise<void> {
    const row = this.editing.value
    const was = row && requestOf(row)
    const stroke = this.strokeEdited()
    if (!row || !was || !stroke) return
    const now = { ...was, points: stroke.points, radius_m: stroke.radius_m }
    if (was.corridor_m) now.corridor_m = this.corridor_m.value
    Object.assign(now, this.look_edited.value)
    if (was.ring_m && was.radius_m && stroke.radius_m) now.ring_m = was.ring_m * (stroke.radius_m / was.radius_m)
    if (await this.change([was], [now], row.name, did)) this.cancel()
  }

  /** Keeps the width for the next corridor; false: it is none. */
  private keepsCorridor(): boolean {
    if (!fitsCorridor(this.corridor_m.value)) return false
    localStorage.setItem(KEPT_CORRIDOR, String(this.corridor_m.value))
    return true
  }

  /** Writes drawings anew under their uids; undo writes them as they were. */
  async change(was: DrawingRequest[], now: DrawingRequest[], name: string, did: Did): Promise<boolean> {
    const worked = await this.desk.attempt(() => placeAll(now))
    if (worked) did(this.step('draw.did.changed', name, () => putBack(was), () => placeAll(now)))
    await this.readRows()
    return worked
  }

  /** Renames, moves or marks a layer: one act of the node, whatever lies on it. `was`: the same, for undo; null = it cannot be taken back. */
  async changeLayer(was: SetLayer | null, now: SetLayer, name: string, did: Did): Promise<boolean> {
    const worked = await this.desk.attempt(() => setLayer(now))
    if (worked && was) did(this.step('draw.did.changed', name, () => setLayer(was), () => setLayer(now)))
    await this.readRows()
    return worked
  }

  async remove(rows: readonly DrawingRow[], name: string, did: Did): Promise<void> {
    const was = rows.flatMap((row) => requestOf(row) ?? [])
    const ids = rows.map((row) => row.id)
    if (await this.desk.attempt(() => remove(ids))) did(this.step('draw.did.removed', name, () => putBack(was), () => remove(ids)))
    await this.readRows()
  }

  private step(title: string, name: string, undo: () => Promise<unknown>, redo: () => Promise<unknown>): Step {
    return { title, words: { name }, undo: () => this.desk.attempt(undo), redo: () => this.desk.attempt(redo) }
  }

  show(layer: string, shown: boolean): void {
    const hidden = new Set(this.hidden.value)
    if (shown) hidden.delete(layer)
    else hidden.add(layer)
    this.hidden.value = hidden
    this.keep()
  }

  setOpacity(layer: string, share: number): void {
    this.opacity.value = new Map(this.opacity.value).set(layer, share)
    this.keep()
  }

  showBase(part: BasePart, shown: boolean): void {
    const hidden = new Set(this.base_hidden.value)
    if (shown) hidden.delete(part)
    else hidden.add(part)
    this.base_hidden.value = hidden
    this.keep()
    this.map?.setBase(BASE_PARTS[part], shown)
  }
}

/** Is this a width, in metres? */
export const fitsCorridor = (width_m: number) => width_m > 0 && width_m <= CORRIDOR_M_MAX

const penShapeOf = ({ tool, graphic }: Task): PenShape => graphic?.shape ?? PEN_OF[tool]
const limitOf = ({ tool }: Task) => (tool === 'bearing' ? 2 : null)
function toolOf({ tool, graphic }: Task): Tool {
  if (!graphic) return tool
  return graphic.shape === 'polygon' ? 'area' : graphic.shape
}

async function placeAll(requests: readonly DrawingRequest[]): Promise<void> {
  for (const request of requests) await place(request)
}
/** As they were: the journal says that a change, or their removal, was taken back. */
function putBack(requests: readonly DrawingRequest[]): Promise<void> {
  return placeAll(requests.map((request) => ({ ...request, takes_back: true })))
}
async function remove(ids: readonly string[]): Promise<void> {
  for (const id of ids) await api.remove(id)
}

/** The one of this desk. */
export const drawingOf = perDesk((desk) => new DrawSession(desk))
