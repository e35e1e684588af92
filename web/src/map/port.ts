/**
 * What the page asks of a map, and what a map says: the page knows no map engine.
 *
 * A map draws what the track store holds. It is told when something changed (`refresh`), and says what the pointer did.
 */
import type { Feature, FeatureCollection } from 'geojson'
import type { Pen } from '../draw/pen'
import type { OwnMap } from '../maps/layers'
import type { TrackStore } from '../store/tracks'
import type { GroupOf } from './cluster'
import type { Theme } from './style'

export interface Place {
  lat_deg: number
  lon_deg: number
}
export interface MapPoint extends Place {
  x_px: number
  y_px: number
}
export interface MapEvents {
  /** A click: the handle under it, or null for the ground. */
  click(handle: number | null, at: MapPoint): void
  /** The pointer's place, null when it left the map. */
  pointer(at: MapPoint | null): void
  /** A right click or a long press. */
  menu?(at: MapPoint): void
  /** The view came to rest. */
  moved(bbox: [number, number, number, number]): void
}
export interface MapAdapter {
  fit(bounds: [number, number, number, number]): void
  /** Shows what was seen, at once: all of west, south, east, north in degrees and no more than it must, above the lowest `below_px`. */
  frame(bounds: [number, number, number, number], below_px: number): void
  /** Shows a place at exactly this zoom, at once. */
  show(place: Place, zoom: number): void
  /** Goes to a place; never zooms out. */
  flyTo(place: Place, zoom?: number): void
  /** About the middle of what is seen. */
  zoomBy(steps: number): void
  centre(): MapPoint
  project(place: Place): { x_px: number; y_px: number }
  unproject(x_px: number, y_px: number): Place
  select(handle: number | null): void
  /** `title` is what a screen reader calls the map. */
  setLook(theme: Theme, locale: string, title: string): void
  setDrawings(drawings: FeatureCollection): void
  /** Where something came from: a line and dots. */
  setTrail(trail: FeatureCollection): void
  /** Where all that is seen came from: a line each, with its side. */
  setTrails(trails: FeatureCollection): void
  /** The trails that it shows: those of all (`affiliation`, `span_min`), and that of the selection (`name`). */
  trails(): Feature[]
  /** West, south, east, north in degrees of what is seen; east may lie beyond 180. */
  bounds(): [number, number, number, number]
  /** A copy of what is drawn now, in device pixels. */
  copy(): HTMLCanvasElement
  /** Resolves when all tiles and overlays of the view are drawn: true; after `limit_ms` at the latest: false, something may lack. */
  drawn(limit_ms: number): Promise<boolean>
  setCrosshair(on: boolean): void
  /** A pen on the map; `snaps` are the vertices ([lon, lat]) that it snaps to. While it is held, clicks are its own. */
  takePen(snaps: () => [number, number][]): Promise<Pen>
  layPen(): void
  /** Shows or hides parts of the base map by the ids of its layers. */
  setBase(layers: readonly string[], shown: boolean): void
  /** Entities that are not shown, by id. */
  setHidden(ids: ReadonlySet<string>): void
  /** Maps that people brought, the lowest first. */
  setOwnMaps(maps: readonly (OwnMap & { opacity: number })[]): void
  /** Lays a picture over the ground and under drawings and names; null: takes it away. */
  setCover(name: CoverName, cover: Cover | null): void
  /** Draws the grid of every view; null: none. */
  setGrid(grid: GridOf | null): void
  /** Whether crowded symbols become one, and into whose symbol members of a unit go. */
  setGathering(on: boolean, group_of: GroupOf | null): void
  /** Do labels say course, speed, height and the unit above, where there is room? */
  setFullLabels(on: boolean): void
  /** Lays onto another map what people laid onto this one: own maps, pictures over the ground, the grid, trails, full labels, hidden parts of the base map. */
  dress(other: MapAdapter): void
  zoom(): number
  /** How much of the map's lower part is covered; places are shown above it. */
  setCovered(bottom_px: number): void
  /** The store changed or time went on. */
  refresh(): void
  destroy(): void
}

export type CoverName = 'looks' | 'shadow' | 'heat'
/** A picture whose rows are evenly spaced in Mercator; west, south, east, north in degrees. */
export interface Cover {
  canvas: HTMLCanvasElement
  box: [number, number, number, number]
}

/** The grid of bounds (degrees) on a map of so many pixels. */
export type GridOf = (bounds: [number, number, number, number], width_px: number) => FeatureCollection

export interface MapOptions {
  container: HTMLElement
  store: TrackStore
  now_ms: () => number
  events: MapEvents
  /** Parts of the map under buttons and texts: left, top, width, height in CSS pixels. */
  covered: () => [number, number, number, number][]
  theme: Theme
  locale: string
  title: string
  start: Place & { zoom: number }
  /** Device pixels per CSS pixel; absent: the screen's. */
  pixel_ratio?: number
}
