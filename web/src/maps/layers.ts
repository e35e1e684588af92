/** Own maps as sources and layers of the map engine, over the shipped land and under everything of ours. */
import type * as maplibre from 'maplibre-gl'
import type { FeatureCollection } from 'geojson'
import type { Box } from './warp'

/** What is drawn of a map under its shapes. */
export type Ground =
  /** A PMTiles archive; `layers` are names of vector layers, null: pictures. */
  | { kind: 'archive'; url: string; layers: string[] | null }
  /** Single tiles that the node gives. */
  | { kind: 'tiles'; layers: string[] | null; min_zoom: number; max_zoom: number }
  /** One picture whose rows are evenly spaced in Mercator. */
  | { kind: 'picture'; canvas: HTMLCanvasElement; box: Box }
export interface OwnMap {
  hash: string
  ground: Ground | null
  /** Points, lines and areas with `name`s, in degrees; null: the file has none. */
  shapes: FeatureCollection | null
  /** Shapes of the file that are not among them. */
  left_out: number
  /** West, south, east, north in degrees; null: not said. */
  bounds: Box | null
  attribution: string
}
export interface Colours {
  line: string
  fill: string
  /** Behind names. */
  halo: string
  /** Pictures are darkened, for eyes that must stay used to the dark. */
  dim: boolean
}
/** Of a picture at night: its brightest, and how much of its colour is left. */
const DIM = { 'raster-brightness-max': 0.28, 'raster-saturation': -0.75 }
/** More vector layers than this of one file are not drawn. */
const LAYERS_MAX = 40
const PREFIX = 'own-'
const SHAPES = '-shapes'
const IS_AREA: maplibre.FilterSpecification = ['==', ['geometry-type'], 'Polygon']
const IS_POINT: maplibre.FilterSpecification = ['==', ['geometry-type'], 'Point']
const IS_LINE: maplibre.FilterSpecification = ['==', ['geometry-type'], 'LineString']
const HAS_OUTLINE: maplibre.FilterSpecification = ['!=', ['geometry-type'], 'Point']

function source(own: OwnMap, ground: Ground): maplibre.SourceSpecification {
  if (ground.kind === 'picture') {
    const [west, south, east, north] = ground.box
    const coordinates: maplibre.Coordinates = [[west, north], [east, north], [east, south], [west, south]]
    // A canvas is read once, when its source is made. The style's own type knows no canvas.
    return { type: 'canvas', canvas: ground.canvas, coordinates, animate: false } as unknown as maplibre.SourceSpecification
  }
  const type = ground.layers ? 'vector' : 'raster'
  const size = ground.layers ? {} : { tileSize: 256 }
  if (ground.kind === 'archive') return { type, url: ground.url, ...size } as maplibre.SourceSpecification
  const tiles = [`${location.origin}/tiles/${own.hash}/{z}/{x}/{y}`]
  return { type, tiles, minzoom: ground.min_zoom, maxzoom: ground.max_zoom, ...(own.bounds ? { bounds: own.bounds } : {}), ...size } as maplibre.SourceSpecification
}

type Shown = OwnMap & { opacity: number }

function groundLayers({ opacity }: Shown, ground: Ground, id: string, colours: Colours): maplibre.LayerSpecification[] {
  if (ground.kind === 'picture' || !ground.layers) return [{ id, type: 'raster', source: id, paint: { 'raster-opacity': opacity, 'raster-fade-duration': 0, ...(colours.dim ? DIM : {}) } }]
  return ground.layers.slice(0, LAYERS_MAX).flatMap((name, n): maplibre.LayerSpecification[] => [
    { id: `${id}-${n}-area`, type: 'fill', source: id, 'source-layer': name, filter: IS_AREA, paint: { 'fill-color': colours.fill, 'fill-opacity': 0.25 * opacity } },
    { id: `${id}-${n}-line`, type: 'line', source: id, 'source-layer': name, filter: HAS_OUTLINE, paint: { 'line-color': colours.line, 'line-width': 1, 'line-opacity': 0.8 * opacity } },
    { id: `${id}-${n}-point`, type: 'circle', source: id, 'source-layer': name, filter: IS_POINT, paint: { 'circle-color': colours.line, 'circle-radius': 2.5, 'circle-opacity': opacity } },
  ])
}

/** Shapes are fewer and meant to be seen: stronger than the lines of a base map, each with its name. */
function shapeLayers({ opacity }: Shown, id: string, colours: Colours): maplibre.LayerSpecification[] {
  const text: maplibre.SymbolLayerSpecification['layout'] = { 'text-field': ['get', 'name'], 'text-font': ['Inter Variable'], 'text-size': 12 }
  const ink: maplibre.SymbolLayerSpecification['paint'] = { 'text-color': colours.line, 'text-halo-color': colours.halo, 'text-halo-width': 1.5, 'text-opacity': opacity }
  const named = (filter: maplibre.FilterSpecification) => ['all', ['has', 'name'], filter] as maplibre.FilterSpecification
  return [
    { id: `${id}-area`, type: 'fill', source: id, filter: IS_AREA, paint: { 'fill-color': colours.fill, 'fill-opacity': 0.2 * opacity } },
    { id: `${id}-line`, type: 'line', source: id, filter: HAS_OUTLINE, layout: { 'line-join': 'round', 'line-cap': 'round' }, paint: { 'line-color': colours.line, 'line-width': 1.6, 'line-opacity': opacity } },
    { id: `${id}-point`, type: 'circle', source: id, filter: IS_POINT, paint: { 'circle-color': colours.line, 'circle-radius': 4, 'circle-opacity': opacity, 'circle-stroke-color': colours.halo, 'circle-stroke-width': 1.5, 'circle-stroke-opacity': opacity } },
    { id: `${id}-name-area`, type: 'symbol', source: id, filter: named(IS_AREA), layout: text, paint: ink },
    { id: `${id}-name-line`, type: 'symbol', source: id, filter: named(IS_LINE), layout: { ...text, 'symbol-placement': 'line' }, paint: ink },
    { id: `${id}-name-point`, type: 'symbol', source: id, filter: named(IS_POINT), layout: { ...text, 'text-anchor': 'top', 'text-offset': [0, 0.5] }, paint: ink },
  ]
}

/** Puts these maps, the lowest first, in the place of those that are there. `before` is the first layer that lies over them. */
export function drawOwnMaps(map: maplibre.Map, maps: readonly Shown[], before: string, colours: Colours): void {
  for (const id of map.getLayersOrder()) if (id.startsWith(PREFIX)) map.removeLayer(id)
  const wanted = new Set(maps.flatMap((own) => [...(own.ground ? [PREFIX + own.hash] : []), ...(own.shapes ? [PREFIX + own.hash + SHAPES] : [])]))
  for (const id of Object.keys(map.getStyle().sources)) if (id.startsWith(PREFIX) && !wanted.has(id)) map.removeSource(id)
  for (const own of maps) {
    const id = PREFIX + own.hash
    if (own.ground) {
      if (!map.getSource(id)) map.addSource(id, source(own, own.ground))
      for (const layer of groundLayers(own, own.ground, id, colours)) map.addLayer(layer, before)
    }
    if (own.shapes) {
      if (!map.getSource(id + SHAPES)) map.addSource(id + SHAPES, { type: 'geojson', data: own.shapes })
      for (const layer of shapeLayers(own, id + SHAPES, colours)) map.addLayer(layer, before)
    }
  }
}
