/** The pen: terra-draw on the map, for one shape at a time. A chunk of its own, loaded with the first stroke. */
import type { Feature, Position } from 'geojson'
import type { Map as EngineMap } from 'maplibre-gl'
import {
  TerraDraw, TerraDrawCircleMode, TerraDrawLineStringMode, TerraDrawPointMode, TerraDrawPolygonMode, TerraDrawSelectMode,
  type GeoJSONStoreFeatures, type HexColor,
} from 'terra-draw'
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter'
import { circleOf, mapRing, withoutRepeats, type Pair } from './geometry'
import { nearestPlace } from './snap'

export type PenShape = 'point' | 'line' | 'polygon' | 'circle'
export interface Stroke {
  shape: PenShape
  points: Pair[]
  radius_m: number | null
}
const MODES: Record<PenShape, string> = { point: 'point', line: 'linestring', polygon: 'polygon', circle: 'circle' }
const tidy = (value: number) => Math.round(value * 1e7) / 1e7
const pair = ([lon, lat]: Position): Pair => [tidy(lat), tidy(((((lon + 180) % 360) + 360) % 360) - 180)]
const position = ([lat, lon]: Pair): Position => [tidy(lon), tidy(lat)]

export interface PenEvents {
  done(stroke: Stroke): void
  ended(): void
  changed(): void
}
type AnyMode = new (options: { styles: object }) => unknown

/** How each mode draws in one colour. */
function inksOf(tint: HexColor) {
  const ends = { closingPointColor: tint, snappingPointColor: tint }
  const area = { fillColor: tint, fillOpacity: 0.16, outlineColor: tint, outlineWidth: 3 }
  return {
    point: { pointColor: tint, pointWidth: 6 },
    linestring: { lineStringColor: tint, lineStringWidth: 3, ...ends },
    polygon: { ...area, ...ends },
    circle: area,
    select: { selectedLineStringColor: tint, selectedPolygonColor: tint, selectedPolygonOutlineColor: tint, selectedPointColor: tint, selectionPointWidth: 7, midPointWidth: 5, midPointColor: tint, selectionPointColor: tint },
  }
}

export class Pen {
  private readonly draw: TerraDraw
  private held: string | number | null = null
  private ended: () => void = () => undefined

  /** `snaps` are the vertices ([lon, lat]) that a new vertex may snap to. */
  constructor(
    private readonly map: EngineMap,
    private readonly snaps: () => Position[],
    colour: string,
  ) {
    const snapping = { toCustom: (event: { lng: number; lat: number }) => this.snap(event.lng, event.lat) }
    const { point, linestring, polygon, circle, select } = inksOf(colour as HexColor)
    const flags = { feature: { draggable: true, coordinates: { midpoints: true, draggable: true, deletable: true, snappable: snapping } } }
    this.draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map, prefixId: 'pen' }),
      modes: [
        new TerraDrawPointMode({ styles: point }),
        new TerraDrawLineStringMode({ snapping, styles: linestring }),
        new TerraDrawPolygonMode({ snapping, styles: polygon }),
        new TerraDrawCircleMode({ styles: circle }),
        new TerraDrawSelectMode({
          flags: { point: { feature: { draggable: true } }, linestring: flags, polygon: flags, circle: { feature: { draggable: true, coordinates: { resizable: 'center-fixed' } } } },
          allowManualDeselection: false,
          keyEvents: null,
          styles: select,
        }),
      ],
    })
    this.draw.start()
  }

  /** Goes on in another colour; what is drawn so far stays. */
  tint(colour: string): void {
    for (const [mode, styles] of Object.entries(inksOf(colour as HexColor))) this.draw.updateModeOptions<AnyMode>(mode, { styles })
  }

  private snap(lon: number, lat: number): Position | undefined {
    const at = nearestPlace(this.map.project([lon, lat]), this.snaps(), ([lon, lat]) => this.map.project([lon, lat]))
    return at && [tidy(at[0]), tidy(at[1])]
  }

  /** Draws one shape; `limit` ends a line by itself after so many points. `ended`: somebody pressed Enter on the map; `changed`: a point may have come. */
  start(shape: PenShape, limit: number | null, { done, ended, changed }: PenEvents): void {
    this.ended = ended
    this.map.getCanvas().addEventListener('keyup', this.onKey, { capture: true })
    this.draw.on('change', changed)
    this.draw.setMode(MODES[shape])
    this.draw.on('finish', (id, context) => {
      const feature = context.action === 'draw' && this.draw.getSnapshotFeature(id)
      if (feature) done(strokeOf(shape, feature))
    })
    if (limit === null) return
    this.draw.on('change', () => {
      const line = this.draw.getSnapshot().find((one) => one.properties.mode === 'linestring' && one.geometry.type === 'LineString')
      // The last coordinate follows the pointer and is no point yet.
      if (line && line.geometry.coordinates.length > limit) queueMicrotask(() => this.finish())
    })
  }

  /** The points that are set of the shape that is being drawn; the one that follows the pointer is none. */
  soFar(shape: PenShape): Pair[] {
    const feature = this.draw.getSnapshot().find((one) => one.properties.mode === MODES[shape] && (shape === 'line' ? 'LineString' : 'Polygon') === one.geometry.type)
    if (!feature || shape === 'point') return []
    const { points } = strokeOf(shape, feature)
    if (shape === 'circle') return points
    // An area that has only begun repeats its first corner.
    return withoutRepeats(points.slice(0, -1))
  }

  /** Takes up what is there, to be changed by its vertices; `changed` after each that a mouse has moved. */
  edit(stroke: Stroke, changed: () => void): boolean {
    const id = this.draw.getFeatureId()
    const [added] = this.draw.addFeatures([featureOf(stroke, id)])
    if (!added.valid) return false
    this.held = id
    this.draw.on('finish', changed)
    this.draw.setMode('select')
    this.draw.selectFeature(id)
    return true
  }

  /** What the taken-up shape is now; null when there is none. */
  edited(shape: PenShape): Stroke | null {
    const feature = this.held === null ? undefined : this.draw.getSnapshotFeature(this.held)
    return feature ? strokeOf(shape, feature) : null
  }

  /** Gives the taken-up shape other corners. */
  reshape(stroke: Stroke): void {
    if (this.held === null) return
    if (stroke.radius_m) this.draw.updateFeatureProperties(this.held, { radiusKilometers: stroke.radius_m / 1000 })
    this.draw.updateFeatureGeometry(this.held, geometryOf(stroke))
    // Its handles lie where they were until it is taken up anew.
    this.draw.deselectFeature(this.held)
    this.draw.selectFeature(this.held)
  }

  /** Ends the line or area with the points it has: what Enter does. */
  finish(): void {
    this.map.getCanvas().dispatchEvent(new KeyboardEvent('keyup', { key: 'Enter', bubbles: true }))
  }

  /** The pen would end a line of one point, and say nothing of an area of two: whoever holds it decides. */
  private readonly onKey = (event: KeyboardEvent): void => {
    // What `finish` says is no key of a person.
    if (event.key !== 'Enter' || !event.isTrusted) return
    event.stopImmediatePropagation()
    this.ended()
  }

  stop(): void {
    this.map.getCanvas().removeEventListener('keyup', this.onKey, { capture: true })
    if (this.draw.enabled) this.draw.stop()
  }
}

function strokeOf(shape: PenShape, { geometry }: Feature | GeoJSONStoreFeatures): Stroke {
  if (geometry.type === 'Point') return { shape, points: [pair(geometry.coordinates)], radius_m: null }
  if (geometry.type === 'LineString') return { shape, points: geometry.coordinates.map(pair), radius_m: null }
  const ring = geometry.type === 'Polygon' ? geometry.coordinates[0] : []
  if (shape !== 'circle') return { shape, points: ring.slice(0, -1).map(pair), radius_m: null }
  const { centre, radius_m } = circleOf(ring)
  return { shape, points: [pair([centre[1], centre[0]])], radius_m }
}

function featureOf(stroke: Stroke, id: string | number): GeoJSONStoreFeatures {
  const properties: Record<string, string | number> = { mode: MODES[stroke.shape] }
  if (stroke.shape === 'circle') properties.radiusKilometers = (stroke.radius_m ?? 0) / 1000
  return { type: 'Feature', id, geometry: geometryOf(stroke), properties }
}

function geometryOf({ shape, points, radius_m }: Stroke): GeoJSONStoreFeatures['geometry'] {
  const line = points.map(position)
  if (shape === 'point') return { type: 'Point', coordinates: line[0] }
  if (shape === 'line') return { type: 'LineString', coordinates: line }
  const ring = shape === 'circle' ? mapRing(points[0], radius_m ?? 0).map(([lon, lat]) => [tidy(lon), tidy(lat)]) : [...line, line[0]]
  return { type: 'Polygon', coordinates: [ring] }
}
