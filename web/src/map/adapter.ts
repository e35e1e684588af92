/** The map of the page (see `port`), by MapLibre. */
import * as maplibre from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import { Protocol } from 'pmtiles'
import type { Feature, FeatureCollection } from 'geojson'
import type { Pen } from '../draw/pen'
import { sign } from '../geo/units'
import { drawOwnMaps, type OwnMap } from '../maps/layers'
import { smallestArea } from './areas'
import { Atlas } from './atlas'
import { SpriteBatch } from './batch'
import { doubtCircles } from './doubt'
import type { GroupOf } from './cluster'
import { latOfY, lonOfX, mercatorX, mercatorY } from './mercator'
import { EMPTY, LOOKS, overlayLayers, Overlays } from './overlays'
import type { Cover, CoverName, GridOf, MapAdapter, MapOptions, MapPoint, Place } from './port'
import { Scene } from './scene'
import { SpriteCanvas } from './spriteCanvas'
import { mapStyle, repaint, type Theme } from './style'

const CLICK_RADIUS_PX = 20
/** CSS pixels of the whole world at zoom 0. */
const WORLD_PX = 512
/** A click on a cluster goes so much nearer. */
const CLUSTER_STEP = 2
const DOUBT_EVERY_MS = 3000

/** How long a movement of the map lasts; none for who wants none. */
const motion_ms = (wanted_ms: number) => (window.matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : wanted_ms)

/** Pixels of the screen for one of the map; a page for a wall is enlarged, and its map as sharp as its words. */
function ratioOf({ pixel_ratio, container }: MapOptions): number {
  return pixel_ratio ?? (window.devicePixelRatio || 1) * (container.currentCSSZoom ?? 1)
}

let prepared = false
function prepare(): void {
  if (prepared) return
  prepared = true
  maplibre.setWorkerUrl(workerUrl)
  maplibre.addProtocol('pmtiles', new Protocol().tile)
}

/** Units at the bar of lengths, as the page's language writes them. */
const scaleSigns = () => ({ 'ScaleControl.Meters': sign('m'), 'ScaleControl.Kilometers': sign('km') })

class MapLibreAdapter implements MapAdapter {
  private readonly map: maplibre.Map
  private readonly scale = new maplibre.ScaleControl({ maxWidth: 110, unit: 'metric' })
  private readonly atlas: Atlas
  private readonly batch = new SpriteBatch()
  private readonly scene: Scene
  private readonly sprites: SpriteCanvas
  private readonly overlays: Overlays
  private size = { width_px: 0, height_px: 0 }
  private full_labels = false
  private grid: GridOf | null = null
  private own: readonly (OwnMap & { opacity: number })[] = []
  private own_drawn = false
  private readonly covers = new Map<CoverName, Cover>()
  private selected: number | null = null
  private hovered: number | null = null
  private built: { west: number; east: number; north: number; south: number } | null = null
  private built_ms = 0
  private doubt_ms = -Infinity
  private doubt_of: number | null = null
  private crosshair = false
  private covered_px = 0
  private pen: Pen | null = null
  private readonly base = new Map<string, boolean>()
  private theme: Theme
  private locale: string

  constructor(private readonly options: MapOptions) {
    prepare()
    this.theme = options.theme
    this.locale = options.locale
    const ratio = ratioOf(options)
    this.atlas = new Atlas(ratio, ratio > 1.5 ? 4096 : 2048)
    this.scene = new Scene(options.store, this.batch, this.atlas, LOOKS[options.theme])
    this.map = new maplibre.Map({
      container: options.container,
      style: mapStyle(options.theme, options.locale, location.origin),
      center: [options.start.lon_deg, options.start.lat_deg],
      zoom: options.start.zoom,
      minZoom: 1,
      maxZoom: 17,
      attributionControl: false,
      locale: { 'Map.Title': options.title, ...scaleSigns() },
      // The sprites are drawn for a flat map with north up.
      maxPitch: 0,
      dragRotate: false,
      pitchWithRotate: false,
      fadeDuration: 0,
      pixelRatio: ratio,
    })
    this.overlays = new Overlays(this.map)
    this.map.touchZoomRotate.disableRotation()
    this.map.keyboard.disableRotation()
    this.map.addControl(this.scale, 'bottom-right')
    this.sprites = new SpriteCanvas(this.map.getCanvasContainer(), this.batch, this.atlas, () => this.camera())
    this.measure()
    this.listen()
  }

  /** Asked once and after every change of size: the answer costs a layout of the page. */
  private measure(): void {
    const box = this.map.getContainer()
    this.size = { width_px: box.clientWidth, height_px: box.clientHeight }
  }

  private camera() {
    const { map } = this
    const centre = map.getCenter()
    return {
      ...this.size,
      x: mercatorX(centre.lng),
      y: mercatorY(centre.lat),
      world_px: WORLD_PX * 2 ** map.getZoom(),
      pixel_ratio: map.getPixelRatio(),
      moving: map.isMoving(),
    }
  }

  private readonly onFonts = (): void => {
    this.atlas.reset()
    this.scene.forgetWidths()
    this.refresh()
  }

  private listen(): void {
    const { map } = this
    document.fonts.addEventListener('loadingdone', this.onFonts)
    map.on('style.load', () => this.addOurs())
    map.on('webglcontextrestored', () => map.once('idle', () => this.addOurs()))
    map.on('move', () => this.rebuildWhileMoving())
    map.on('render', () => this.sprites.draw())
    map.on('resize', () => {
      this.measure()
      this.followPixelRatio()
      this.refresh()
    })
    map.on('moveend', () => {
      this.doubt_ms = -Infinity
      this.refresh()
      this.drawGrid()
      const b = map.getBounds()
      this.options.events.moved([b.getWest(), b.getSouth(), b.getEast(), b.getNorth()])
    })
    map.on('click', (event) => this.onClick(event))
    map.on('contextmenu', (event) => {
      if (!this.pen && !this.crosshair) this.options.events.menu?.(this.point(event))
    })
    map.on('mousemove', (event) => this.onPointer(event))
    map.on('mouseout', () => {
      this.hover(null)
      this.options.events.pointer(null)
    })
    map.on('error', (event) => console.warn('map:', event.error?.message ?? event))
  }

  private addOurs(): void {
    this.overlays.add(this.theme)
    this.paint()
    this.drawOwn()
    for (const name of this.covers.keys()) this.drawCover(name)
    for (const [id, shown] of this.base) this.showBase(id, shown)
    this.doubt_ms = -Infinity
    this.drawGrid()
    this.refresh()
  }

  private drawGrid(): void {
    this.overlays.put('grid', this.grid ? this.grid(this.bounds(), this.size.width_px) : EMPTY)
  }

  private followPixelRatio(): void {
    const ratio = ratioOf(this.options)
    if (ratio === this.map.getPixelRatio()) return
    this.map.setPixelRatio(ratio)
    this.atlas.reset(ratio)
  }

  private view() {
    const b = this.map.getBounds()
    return {
      ...this.size,
      west: mercatorX(b.getWest()),
      east: mercatorX(b.getEast()),
      north: mercatorY(b.getNorth()),
      south: mercatorY(b.getSouth()),
      zoom: this.map.getZoom(),
      covered: this.options.covered(),
    }
  }

  refresh(): void {
    const view = this.view()
    if (!(view.width_px > 0)) return
    this.scene.build(
      view,
      { selected: this.selected, hovered: this.hovered },
      this.options.now_ms(),
    )
    this.built = view
    this.built_ms = performance.now()
    this.sprites.touch()
    if (!this.map.isMoving()) this.drawDoubt(view.width_px)
  }

  /** Doubt grows slowly: a new set of circles every few seconds is enough, at once when it is about another symbol. */
  private drawDoubt(width_px: number): void {
    const age_ms = performance.now() - this.doubt_ms
    if (!this.overlays.isUp() || (age_ms < DOUBT_EVERY_MS && this.doubt_of === this.selected)) return
    this.doubt_ms = performance.now()
    this.doubt_of = this.selected
    const b = this.map.getBounds()
    const bounds: [number, number, number, number] = [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]
    const circles = doubtCircles(this.options.store, this.selected, { bounds, width_px }, this.options.now_ms())
    this.overlays.put('doubt', circles)
  }

  /** While the map moves: at most ten times a second, at once when the built part is left. */
  private rebuildWhileMoving(): void {
    const built = this.built
    if (!built) return
    const view = this.view()
    const margin_x = (built.east - built.west) / 2
    const margin_y = (built.south - built.north) / 2
    const left =
      view.west < built.west - margin_x ||
      view.east > built.east + margin_x ||
      view.north < built.north - margin_y ||
      view.south > built.south + margin_y
    if (left || performance.now() - this.built_ms > 100) this.refresh()
  }

  private point(event: { lngLat: maplibre.LngLat; point: { x: number; y: number } }): MapPoint {
    const place = event.lngLat.wrap()
    return { lat_deg: place.lat, lon_deg: place.lng, x_px: event.point.x, y_px: event.point.y }
  }

  /** `clicked`: not merely pointed at, so that it may be the next of a pile. */
  private handleAt(event: maplibre.MapMouseEvent, clicked = false): number | null {
    const at = [mercatorX(event.lngLat.lng), mercatorY(event.lngLat.lat), CLICK_RADIUS_PX] as const
    const sprite = clicked ? this.scene.pickNext(...at, this.selected) : this.scene.pick(...at)
    if (sprite !== null) return sprite
    if (!this.overlays.hasDrawings()) return null
    const { x, y } = event.point
    const found = this.map.queryRenderedFeatures(
      [
        [x - 5, y - 5],
        [x + 5, y + 5],
      ],
      { layers: ['drawing-line'] },
    )
    const handle: unknown = found[0]?.properties.h
    return typeof handle === 'number' ? handle : null
  }

  private onClick(event: maplibre.MapMouseEvent): void {
    if (this.pen) return
    const handle = this.handleAt(event, true)
    const cluster = handle === null && !this.crosshair ? this.clusterAt(event) : null
    if (cluster) this.goNear(latOfY(cluster.y), lonOfX(cluster.x))
    else this.options.events.click(handle ?? this.areaAt(event), this.point(event))
  }

  /**
   * The smallest area round a click, null where there is none or where it is the chosen one: a second click lets it go.
   * Only clicks ask: under a pointer that merely passes, large areas would be hovered nearly always.
   */
  private areaAt(event: maplibre.MapMouseEvent): number | null {
    if (!this.overlays.hasDrawings()) return null
    const found = this.map.queryRenderedFeatures(event.point, { layers: ['drawing-fill'] })
    const handle = smallestArea(found.map((one) => one.properties.h as unknown), this.options.store)
    return handle === this.selected ? null : handle
  }

  private clusterAt(event: maplibre.MapMouseEvent) {
    return this.scene.pickCluster(mercatorX(event.lngLat.lng), mercatorY(event.lngLat.lat), CLICK_RADIUS_PX)
  }

  private goNear(lat: number, lng: number): void {
    this.map.easeTo({ center: [lng, lat], zoom: this.map.getZoom() + CLUSTER_STEP, duration: motion_ms(150) })
  }

  private onPointer(event: maplibre.MapMouseEvent): void {
    this.options.events.pointer(this.point(event))
    if (this.map.isMoving()) return
    this.hover(this.handleAt(event))
    if (this.hovered === null && !this.crosshair) this.map.getCanvas().style.cursor = this.clusterAt(event) ? 'zoom-in' : ''
  }

  private hover(handle: number | null): void {
    if (handle === this.hovered) return
    this.hovered = handle
    this.showCursor()
    this.refresh()
  }

  private showCursor(): void {
    this.map.getCanvas().style.cursor = this.crosshair
      ? 'crosshair'
      : this.hovered === null
        ? ''
        : 'pointer'
  }

  fit([west, south, east, north]: [number, number, number, number]): void {
    const box = this.map.getContainer()
    const seen_px = box.clientHeight - this.covered_px
    const edge = Math.min(70, box.clientWidth / 11, seen_px / 8)
    const padding = { top: edge, left: edge, right: edge, bottom: edge + this.covered_px }
    this.map.fitBounds([west, south, east, north], { padding, maxZoom: 11.5, animate: false })
  }

  frame([west, south, east, north]: [number, number, number, number], below_px: number): void {
    // The map may just have grown to the whole screen, or come back from it.
    this.map.resize()
    const padding = { top: 0, left: 0, right: 0, bottom: Math.min(below_px, this.map.getContainer().clientHeight / 2) }
    this.map.fitBounds([west, south, east, north], { padding, animate: false })
  }

  show(place: Place, zoom: number): void {
    this.map.jumpTo({ center: [place.lon_deg, place.lat_deg], zoom })
  }

  flyTo(place: Place, zoom?: number): void {
    const camera = {
      center: [place.lon_deg, place.lat_deg] as [number, number],
      zoom: Math.max(this.map.getZoom(), zoom ?? 0),
      offset: [0, -this.covered_px / 2] as [number, number],
    }
    this.map.easeTo({ ...camera, duration: motion_ms(150) })
  }

  zoomBy(steps: number): void {
    const { clientWidth, clientHeight } = this.map.getContainer()
    const around = this.map.unproject([clientWidth / 2, (clientHeight - this.covered_px) / 2])
    this.map.easeTo({ zoom: this.map.getZoom() + steps, around, duration: motion_ms(120) })
  }

  centre(): MapPoint {
    const c = this.map.getCenter().wrap()
    return { lat_deg: c.lat, lon_deg: c.lng, ...this.project({ lat_deg: c.lat, lon_deg: c.lng }) }
  }

  unproject(x_px: number, y_px: number): Place {
    const { lat, lng } = this.map.unproject([x_px, y_px])
    return { lat_deg: lat, lon_deg: lng }
  }

  project(place: Place): { x_px: number; y_px: number } {
    const at = this.map.project([place.lon_deg, place.lat_deg])
    return { x_px: at.x, y_px: at.y }
  }

  select(handle: number | null): void {
    if (handle === this.selected) return
    this.selected = handle
    this.refresh()
  }

  setLook(theme: Theme, locale: string, title: string): void {
    this.map.getCanvas().setAttribute('aria-label', title)
    // The map has its texts from when it was made, and the bar writes them when it is set.
    Object.assign(this.map._locale, scaleSigns())
    this.scale.setUnit('metric')
    const is_recoloured = theme !== this.theme
    this.theme = theme
    this.locale = locale
    this.scene.setTheme(LOOKS[theme])
    this.pen?.tint(LOOKS[theme].accent)
    // A style that is still on its way is painted when it has come.
    if (this.overlays.isUp()) {
      this.paint()
      if (is_recoloured) this.drawOwn()
    }
    this.refresh()
  }

  /** The layers that are there in today's colours and language: another style would take the ground and the pen's strokes away. */
  private paint(): void {
    repaint(this.map, [...mapStyle(this.theme, this.locale, location.origin).layers, ...overlayLayers(this.theme)])
  }

  setDrawings(drawings: FeatureCollection): void {
    this.overlays.put('drawings', drawings)
  }

  setTrail(trail: FeatureCollection): void {
    this.overlays.put('trail', trail)
  }

  setTrails(trails: FeatureCollection): void {
    this.overlays.put('trails', trails)
  }

  trails(): Feature[] {
    return [...this.overlays.dataOf('trails').features, ...this.overlays.dataOf('trail').features]
  }

  bounds(): [number, number, number, number] {
    const b = this.map.getBounds()
    return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]
  }

  copy(): HTMLCanvasElement {
    const drawn = this.map.getCanvas()
    const copy = document.createElement('canvas')
    copy.width = drawn.width
    copy.height = drawn.height
    // The drawing buffer lives only as long as the turn in which it was drawn.
    this.map.redraw()
    const brush = copy.getContext('2d')!
    brush.drawImage(drawn, 0, 0)
    this.sprites.draw()
    brush.drawImage(this.sprites.canvas, 0, 0, copy.width, copy.height)
    return copy
  }

  async drawn(limit_ms: number): Promise<boolean> {
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), limit_ms)))
    const is_drawn = await Promise.race([this.idle(), late])
    clearTimeout(timer)
    return is_drawn
  }

  /** Idle with our overlays in the style: a map whose style has only come is idle without them. */
  private async idle(): Promise<true> {
    do {
      await new Promise<void>((resolve) => {
        void this.map.once('idle', () => resolve())
        this.map.triggerRepaint()
      })
    } while (!this.overlays.isUp())
    return true
  }

  setCrosshair(on: boolean): void {
    this.crosshair = on
    this.showCursor()
  }

  async takePen(snaps: () => [number, number][]): Promise<Pen> {
    const { Pen } = await import('../draw/pen')
    this.layPen()
    this.map.doubleClickZoom.disable()
    this.pen = new Pen(this.map, snaps, LOOKS[this.theme].accent)
    return this.pen
  }

  layPen(): void {
    this.pen?.stop()
    this.pen = null
    this.map.doubleClickZoom.enable()
    this.showCursor()
  }

  setBase(layers: readonly string[], shown: boolean): void {
    for (const id of layers) {
      this.base.set(id, shown)
      this.showBase(id, shown)
    }
  }

  private showBase(id: string, shown: boolean): void {
    if (this.map.getLayer(id)) this.map.setLayoutProperty(id, 'visibility', shown ? 'visible' : 'none')
  }

  setHidden(ids: ReadonlySet<string>): void {
    this.scene.setHidden(ids)
    this.refresh()
  }

  setOwnMaps(maps: readonly (OwnMap & { opacity: number })[]): void {
    this.own = maps
    if (this.overlays.isUp()) this.drawOwn()
  }

  private drawOwn(): void {
    const { label, plate, accent, dim } = LOOKS[this.theme]
    if (this.own.length || this.own_drawn) drawOwnMaps(this.map, this.own, 'border', { line: label, fill: accent, halo: plate, dim: dim === true })
    this.own_drawn = this.own.length > 0
  }

  setCover(name: CoverName, cover: Cover | null): void {
    if (cover) this.covers.set(name, cover)
    else if (!this.covers.delete(name)) return
    if (this.overlays.isUp()) this.drawCover(name)
  }

  private drawCover(name: CoverName): void {
    const { map } = this
    const id = `cover-${name}`
    // A canvas is read once, when its source is made.
    if (map.getLayer(id)) map.removeLayer(id)
    if (map.getSource(id)) map.removeSource(id)
    const cover = this.covers.get(name)
    if (!cover) return
    const [west, south, east, north] = cover.box
    const coordinates: maplibre.Coordinates = [[west, north], [east, north], [east, south], [west, south]]
    map.addSource(id, { type: 'canvas', canvas: cover.canvas, coordinates, animate: false } as unknown as maplibre.SourceSpecification)
    map.addLayer({ id, type: 'raster', source: id, paint: { 'raster-fade-duration': 0, 'raster-resampling': 'nearest' } }, 'drawing-fill')
  }

  setGrid(grid: GridOf | null): void {
    this.grid = grid
    this.drawGrid()
  }

  setGathering(on: boolean, group_of: GroupOf | null): void {
    this.scene.setGathering(on)
    this.scene.setGroups(group_of)
    this.refresh()
  }

  setFullLabels(on: boolean): void {
    this.full_labels = on
    this.scene.setFullLabels(on)
    this.refresh()
  }

  dress(other: MapAdapter): void {
    other.setFullLabels(this.full_labels)
    for (const [id, shown] of this.base) other.setBase([id], shown)
    other.setOwnMaps(this.own)
    for (const [name, cover] of this.covers) other.setCover(name, cover)
    other.setGrid(this.grid)
    other.setTrails(this.overlays.dataOf('trails'))
    other.setTrail(this.overlays.dataOf('trail'))
  }

  zoom(): number {
    return this.map.getZoom()
  }

  setCovered(bottom_px: number): void {
    this.covered_px = bottom_px
  }

  destroy(): void {
    document.fonts.removeEventListener('loadingdone', this.onFonts)
    this.sprites.destroy()
    this.map.remove()
  }
}

/** A map in a container; fonts must be loaded before, or its labels are drawn in another one. */
export async function createMap(options: MapOptions): Promise<MapAdapter> {
  // Resolves with an empty list where the font is missing; the map is then drawn in sans-serif.
  // Other scripts load when a name first needs them; the labels are then drawn anew.
  await document.fonts.load('14px "Inter Variable"', 'A')
  return new MapLibreAdapter(options)
}
